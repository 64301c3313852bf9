import { answer } from '../../proxy/answer.ts'
import { failure } from '../../proxy/failure.ts'
import type { Verdict } from '../../proxy/policy.ts'
import { isFieldName, isFieldValue } from './field-grammar.ts'
import type { PolicyAnswer, PolicyVerdict } from './policy-verdict.ts'
import { isReservedResponseField } from './reserved-field.ts'

const MAX_DETAIL_LENGTH = 200
const NOT_VISIBLE = /[^ -~]/g
const RETRY_LATER = { fields: 'Retry-After: 1\r\n' }

export const REFUSED = failure('policy_refused')
export const UNAVAILABLE = failure('policy_unavailable', RETRY_LATER)

/**
 * Makes what an author's `admit` gave a verdict of the gateway's. Throws for what is none, undefined included: an
 * `admit` that forgets to return must not admit.
 */
export function verdictOf(given: PolicyVerdict): Verdict {
  if (given === null) return null
  switch (given?.verdict) {
    case 'refuse':
      return given.detail === null ? REFUSED : failure('policy_refused', { detail: detailOf(given.detail) })
    case 'unavailable':
      return given.detail === null
        ? UNAVAILABLE
        : failure('policy_unavailable', { ...RETRY_LATER, detail: detailOf(given.detail) })
    case 'answer':
      return answerOf(given)
    default:
      throw new TypeError('admit gave no verdict; expected null, refuse(…), unavailable(…) or answer(…)')
  }
}

function detailOf(detail: unknown): string {
  return String(detail).slice(0, MAX_DETAIL_LENGTH).replaceAll(NOT_VISIBLE, '?')
}

function answerOf({ status, fields, body }: PolicyAnswer): Verdict {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new RangeError('answer(…) has a status that is no whole number from 200 to 599')
  let lines = ''
  for (const [name, value] of Object.entries(fields)) {
    if (!isFieldName(name) || isReservedResponseField(name, 'policy'))
      throw new TypeError(
        `answer(…) states the field ${JSON.stringify(name)}, which is not a policy's to state`,
      )
    if (typeof value !== 'string' || !isFieldValue(value))
      throw new TypeError(`answer(…) states a value of ${name} that is not visible ASCII with single spaces`)
    lines += `${name}: ${value}\r\n`
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body)
  if ((status === 204 || status === 304) && bytes.length > 0)
    throw new TypeError(`answer(…) has a body, which a ${status} has not`)
  return answer(status, lines, bytes)
}
