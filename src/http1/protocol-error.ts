/**
 * How a message can break HTTP/1.1. The wire's own closed list: `proxy/failure.ts` gives each its status.
 * After any of these the connection cannot be trusted and is closed.
 */
export type ProtocolErrorCode =
  | 'malformed' // RFC 9112 grammar, or ambiguous framing (sections 2.2, 3.2, 5.1, 6.3)
  | 'version_unsupported' // a well-formed HTTP-version other than 1.0 and 1.1
  | 'transfer_coding_unknown' // a transfer coding other than a single chunked (RFC 9112 section 6.1)
  | 'head_too_large'
  | 'target_too_long'
  | 'expectation_failed' // an Expect member other than 100-continue (RFC 9110 section 10.1.1)
  | 'timeout' // a head or body slower than its limit

/** A refused message: `reason` is a fixed phrase of ours, never bytes of the message. */
export interface ProtocolError {
  readonly code: ProtocolErrorCode
  readonly reason: string
}

const ERRORS: ProtocolError[] = []

/** A negative number that stands for the error, so that a parser returns numbers only. */
function numbered(code: ProtocolErrorCode, reason: string): number {
  ERRORS.push(Object.freeze({ code, reason }))
  return -ERRORS.length
}

export const BAD_START_LINE = numbered('malformed', 'the start-line is not well-formed')
export const BAD_TARGET = numbered('malformed', 'the request target is not well-formed')
export const BAD_FIELD_LINE = numbered('malformed', 'a field line is not well-formed')
export const BAD_HOST = numbered('malformed', 'Host is missing, repeated or not well-formed')
export const BAD_CONTENT_LENGTH = numbered('malformed', 'Content-Length is repeated or not well-formed')
export const BAD_TRANSFER_ENCODING = numbered('malformed', 'Transfer-Encoding is repeated or not well-formed')
export const BAD_FRAMING = numbered(
  'malformed',
  'the framing fields contradict each other, the version or the status',
)
export const BAD_CONNECTION = numbered('malformed', 'Connection is not well-formed')
export const BAD_CHUNK = numbered('malformed', 'a chunk is not well-formed')
export const VERSION_UNSUPPORTED = numbered(
  'version_unsupported',
  'the version is neither HTTP/1.0 nor HTTP/1.1',
)
export const CODING_UNKNOWN = numbered('transfer_coding_unknown', 'the transfer coding is not chunked')
export const HEAD_TOO_LARGE = numbered('head_too_large', 'the head is too large')
export const TRAILERS_TOO_LARGE = numbered('head_too_large', 'the trailer section is too large')
export const TARGET_TOO_LONG = numbered('target_too_long', 'the request target is too long')
export const EXPECTATION_FAILED = numbered('expectation_failed', 'the expectation is not 100-continue')

/** The error behind a negative number that a parser returned; the same value every time. */
export function protocolError(code: number): ProtocolError {
  const error = ERRORS[-code - 1]
  if (error === undefined) throw new RangeError(`${code} is not the number of a protocol error`)
  return error
}
