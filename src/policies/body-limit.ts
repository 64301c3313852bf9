import { failure } from '../proxy/failure.ts'
import type { Policy } from '../proxy/policy.ts'

const BODY_TOO_LARGE = failure('body_too_large')

/** Refuses a body that is announced to be larger than `maxBytes`; one that does not say is measured as it comes. */
export function bodyLimitPolicy(maxBytes: number): Policy {
  return {
    kind: 'body-limit',
    owns: [],
    admit({ head }) {
      const length = head.get('content-length')
      return length !== null && Number(length) > maxBytes ? BODY_TOO_LARGE : null
    },
  }
}
