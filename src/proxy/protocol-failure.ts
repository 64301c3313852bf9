import type { ProtocolError, ProtocolErrorCode } from '../http1/protocol-error.ts'
import { type Failure, type FailureCode, failure } from './failure.ts'

const CODES: Readonly<Record<ProtocolErrorCode, FailureCode>> = {
  malformed: 'request_malformed',
  version_unsupported: 'version_unsupported',
  transfer_coding_unknown: 'transfer_coding_unknown',
  head_too_large: 'head_too_large',
  target_too_long: 'target_too_long',
  expectation_failed: 'expectation_failed',
  timeout: 'request_timeout',
}

/** What a client is told whose message broke the protocol: our fixed phrase, never bytes of the message. */
export function brokenFailure(error: ProtocolError): Failure {
  const code = CODES[error.code]
  if (error.code !== 'malformed') return failure(code)
  return failure(code, { detail: `The request is not well-formed HTTP/1.1: ${error.reason}.` })
}
