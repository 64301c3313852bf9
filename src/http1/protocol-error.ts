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
