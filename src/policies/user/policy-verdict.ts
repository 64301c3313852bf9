/** What a policy may say of an exchange; null admits it. Plain values, judged where they enter the gateway. */
export type PolicyVerdict = PolicyRefusal | PolicyUnavailability | PolicyAnswer | null

export interface PolicyRefusal {
  readonly verdict: 'refuse'
  readonly detail: string | null
}

export interface PolicyUnavailability {
  readonly verdict: 'unavailable'
  readonly detail: string | null
}

export interface PolicyAnswer {
  readonly verdict: 'answer'
  readonly status: number
  readonly fields: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/**
 * 403 policy_refused. `detail` is for people and shown to the client: one line, of which 200 characters are kept and
 * everything beyond visible ASCII becomes `?`.
 */
export function refuse(detail: string | null = null): PolicyRefusal {
  return { verdict: 'refuse', detail }
}

/** 503 policy_unavailable with Retry-After: the policy cannot decide, and its own rule says that nobody passes then. */
export function unavailable(detail: string | null = null): PolicyUnavailability {
  return { verdict: 'unavailable', detail }
}

/**
 * A response instead of the upstream's. `status`: 200 to 599; `fields`: name to value, without those of framing and
 * those the gateway states itself; `body` as UTF-8, empty for 204 and 304.
 */
export function answer(
  status: number,
  fields: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): PolicyAnswer {
  return { verdict: 'answer', status, fields, body }
}
