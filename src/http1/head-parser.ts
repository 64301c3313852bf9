import { parseFieldLines } from './field-line.ts'
import { FIELD_STRIDE, Head } from './head.ts'
import {
  ASKED_CLOSE,
  ASKED_KEEP_ALIVE,
  ASKED_UPGRADE,
  AT_LEAD,
  AT_LINE,
  INCOMPLETE,
  SEEN_OTHER_CODING,
  SEEN_OTHER_EXPECTATION,
  SEEN_TRANSFER_ENCODING,
  SEEN_UPGRADE_FIELD,
} from './parse-state.ts'
import {
  BAD_FRAMING,
  BAD_HOST,
  CODING_UNKNOWN,
  EXPECTATION_FAILED,
  HEAD_TOO_LARGE,
} from './protocol-error.ts'
import { parseRequestLine, parseStatusLine } from './start-line.ts'

export { INCOMPLETE } from './parse-state.ts'
export { protocolError } from './protocol-error.ts'
export { MAX_TARGET_BYTES } from './start-line.ts'

/** The whole head with its start-line, empty lines before it and the one that ends it. */
export const MAX_HEAD_BYTES = 32768

/** A pooled head keeps no more than this after a message of very many fields. */
const MAX_KEPT_FIELDS = 96

/**
 * Parses a request head at bytes[start, end). Returns the offset after the head's empty line (above 0), INCOMPLETE,
 * or a negative number: protocolError(number) gives it. INCOMPLETE keeps its place in `head`: call again with the
 * same bytes followed by more; they may have moved to another buffer and start. The grammar is RFC 9112, strictly;
 * whatever two readers could read differently is an error. After an error `head` holds nothing of use.
 */
export function parseRequestHead(head: Head, bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_HEAD_BYTES)
  if (head.stage < AT_LINE) {
    const line = parseRequestLine(head, bytes, start, limit)
    if (line <= 0) return unfinished(line, limit - start)
  }
  const headEnd = parseFieldLines(head, bytes, start, limit, 'head')
  if (headEnd <= 0) return unfinished(headEnd, limit - start)
  const refusal = settleFraming(head) || settleHost(head) || settleCoding(head) || settleExpectation(head)
  return refusal === 0 ? keepText(head, bytes, start, headEnd) : refusal
}

/** Parses a response head; as above. Host and Expect are fields like any other there. */
export function parseResponseHead(head: Head, bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_HEAD_BYTES)
  if (head.stage < AT_LINE) {
    const line = parseStatusLine(head, bytes, start, limit)
    if (line <= 0) return unfinished(line, limit - start)
  }
  const headEnd = parseFieldLines(head, bytes, start, limit, 'head')
  if (headEnd <= 0) return unfinished(headEnd, limit - start)
  head.expectContinue = false
  const refusal = settleFraming(head) || settleInterim(head) || settleCoding(head)
  return refusal === 0 ? keepText(head, bytes, start, headEnd) : refusal
}

/** Makes a pooled head ready for the next message. */
export function resetHead(head: Head): void {
  head.text = ''
  if (head.fields.length > FIELD_STRIDE * MAX_KEPT_FIELDS) head.fields = new Head().fields
  head.count = 0
  head.minor = 1
  head.methodEnd = 0
  head.targetStart = 0
  head.targetEnd = 0
  head.pathStart = 0
  head.pathEnd = 0
  head.hostStart = -1
  head.hostEnd = -1
  head.status = 0
  head.reasonStart = 0
  head.reasonEnd = 0
  head.contentLength = -1
  head.paddedLength = false
  head.chunked = false
  head.keepAlive = true
  head.upgrade = false
  head.expectContinue = false
  head.nominates = false
  head.scanned = 0
  head.stage = AT_LEAD
  head.lead = 0
  head.seen = 0
  head.hosts = 0
}

/** A head needs at least one more byte than have come, so at the limit it is known to be too large. */
function unfinished(result: number, available: number): number {
  return result === INCOMPLETE && available === MAX_HEAD_BYTES ? HEAD_TOO_LARGE : result
}

// What only the whole head tells. Doubt about where the message ends is refused before what is merely not understood.

function settleFraming(head: Head): number {
  const { seen } = head
  const isOld = head.minor === 0
  if ((seen & SEEN_TRANSFER_ENCODING) !== 0 && (isOld || head.contentLength >= 0)) return BAD_FRAMING
  head.keepAlive = (seen & ASKED_CLOSE) === 0 && (!isOld || (seen & ASKED_KEEP_ALIVE) !== 0)
  // Upgrade in HTTP/1.0 is ignored (RFC 9110 section 7.8).
  head.upgrade = !isOld && (seen & SEEN_UPGRADE_FIELD) !== 0 && (seen & ASKED_UPGRADE) !== 0
  return 0
}

/** A 1xx has no body (RFC 9112 section 6.3); with one announced, readers differ on where the next response starts. */
function settleInterim(head: Head): number {
  const announcesBody = head.contentLength > 0 || (head.seen & SEEN_TRANSFER_ENCODING) !== 0
  return head.status < 200 && announcesBody ? BAD_FRAMING : 0
}

function settleHost(head: Head): number {
  return head.minor === 1 && (head.hosts === 0 || head.hostStart < 0) ? BAD_HOST : 0
}

function settleCoding(head: Head): number {
  return (head.seen & SEEN_OTHER_CODING) === 0 ? 0 : CODING_UNKNOWN
}

/** Expectations in HTTP/1.0 are ignored (RFC 9110 section 10.1.1). */
function settleExpectation(head: Head): number {
  if (head.minor === 0) head.expectContinue = false
  return head.minor === 1 && (head.seen & SEEN_OTHER_EXPECTATION) !== 0 ? EXPECTATION_FAILED : 0
}

function keepText(head: Head, bytes: Buffer, start: number, headEnd: number): number {
  head.text = bytes.toString('latin1', start + head.lead, headEnd - 2)
  head.scanned = headEnd - start
  return headEnd
}
