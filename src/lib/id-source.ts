import { type RandomForm, RandomText } from './random-text.ts'

const FORM: RandomForm = {
  template: '-'.repeat(36),
  // RFC 9562 section 4.
  digits: [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34],
  correct(random, from) {
    random[from + 6] = ((random[from + 6] as number) & 0x0f) | 0x40
    random[from + 8] = ((random[from + 8] as number) & 0x3f) | 0x80
  },
}

/**
 * Random UUIDs (version 4, RFC 9562): one string a request instead of the fifteen that node:crypto's randomUUID puts
 * together. `fill`: a cryptographic source of bytes.
 */
export class IdSource extends RandomText {
  constructor(fill: (bytes: Buffer) => void) {
    super(FORM, fill)
  }
}
