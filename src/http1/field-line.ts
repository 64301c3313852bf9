import { COLON, CR, FIELD_CONTENT, FOLDED, HTAB, LF, SP } from './byte-class.ts'
import { HASH_PRIME, HASH_SEED } from './field-name.ts'
import { interpretField } from './framing-field.ts'
import { FIELD_STRIDE, type Head } from './head.ts'
import { AT_LINE, IN_NAME, IN_VALUE, pause } from './parse-state.ts'
import { BAD_FIELD_LINE } from './protocol-error.ts'

/**
 * Parses field lines from where `head` stands up to and with the empty line that ends them. Returns the
 * offset after that empty line, INCOMPLETE or the number of a protocol error.
 * The lines of a trailer section are kept but mean nothing: framing is settled before them (RFC 9110 section 6.5.1).
 *
 * Every byte is read once, its class from a table, the name's hash on the way; nothing is allocated a field
 * (bench/micro/head-parser.ts).
 */
export function parseFieldLines(
  head: Head,
  bytes: Uint8Array,
  start: number,
  end: number,
  section: 'head' | 'trailers',
): number {
  const base = start + head.lead
  let at = start + head.scanned
  let stage = head.stage
  let fields = head.fields
  let slot = head.count * FIELD_STRIDE
  for (;;) {
    let hash = HASH_SEED
    if (stage === AT_LINE) {
      if (at === end) return pause(head, AT_LINE, at - start)
      if (bytes[at] === CR) {
        if (at + 1 === end) return pause(head, AT_LINE, at - start)
        return bytes[at + 1] === LF ? at + 2 : BAD_FIELD_LINE
      }
      if (slot === fields.length) fields = grow(head)
      fields[slot] = at - base
      stage = IN_NAME
    } else if (stage === IN_NAME) hash = fields[slot + 4] as number
    if (stage === IN_NAME) {
      let folded = 0
      while (at < end) {
        folded = FOLDED[bytes[at] as number] as number
        if (folded === 0) break
        hash = Math.imul(hash ^ folded, HASH_PRIME)
        at++
      }
      fields[slot + 4] = hash
      if (at === end) return pause(head, IN_NAME, at - start)
      // Also a line that starts with a space or a tab, which would continue the last value (obs-fold), and a space
      // before the colon: RFC 9112 sections 5.1 and 5.2.
      if (bytes[at] !== COLON || at - base === fields[slot]) return BAD_FIELD_LINE
      fields[slot + 1] = at - base
      at++
      fields[slot + 2] = at - base
      stage = IN_VALUE
    }
    while (at < end && FIELD_CONTENT[bytes[at] as number] === 1) at++
    if (at === end) return pause(head, IN_VALUE, at - start)
    if (bytes[at] !== CR) return BAD_FIELD_LINE
    if (at + 1 === end) return pause(head, IN_VALUE, at - start)
    if (bytes[at + 1] !== LF) return BAD_FIELD_LINE
    let valueStart = base + (fields[slot + 2] as number)
    let valueEnd = at
    while (valueStart < valueEnd && isBlank(bytes[valueStart] as number)) valueStart++
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd--
    fields[slot + 2] = valueStart - base
    fields[slot + 3] = valueEnd - base
    if (section === 'head') {
      const verdict = interpretField(head, bytes, base, slot)
      if (verdict !== 0) return verdict
    }
    head.count++
    slot += FIELD_STRIDE
    at += 2
    stage = AT_LINE
  }
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB
}

function grow(head: Head): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(head.fields.length * 2)
  grown.set(head.fields)
  head.fields = grown
  return grown
}
