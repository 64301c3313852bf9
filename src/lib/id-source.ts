import { RandomText } from './random-text.ts'

const BYTES = 16
const LENGTH = 36
const HEX = Buffer.from('0123456789abcdef', 'latin1')
/** Where the two digits of each byte begin (RFC 9562 section 4). */
const DIGITS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const

/**
 * Random UUIDs (version 4, RFC 9562): one string a request instead of the fifteen that node:crypto's randomUUID puts
 * together. `fill`: a cryptographic source of bytes.
 */
export class IdSource extends RandomText {
  constructor(fill: (bytes: Buffer) => void) {
    super('-'.repeat(LENGTH), BYTES, fill)
  }

  protected override render(random: Buffer, bytes: Buffer): void {
    let to = 0
    for (let from = 0; from < random.length; from += BYTES) {
      random[from + 6] = ((random[from + 6] as number) & 0x0f) | 0x40
      random[from + 8] = ((random[from + 8] as number) & 0x3f) | 0x80
      for (let index = 0; index < BYTES; index++) {
        const byte = random[from + index] as number
        const at = to + (DIGITS[index] as number)
        bytes[at] = HEX[byte >> 4] as number
        bytes[at + 1] = HEX[byte & 15] as number
      }
      to += LENGTH
    }
  }
}
