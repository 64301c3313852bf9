import type { Clock } from '../../lib/clock.ts'
import type { RevocationLedger, RevocationOutcome } from '../../revocation/revocation-ledger.ts'
import type { Revocation, RevocationKind } from '../../revocation/revocation-set.ts'
import type { StartTimer } from '../start-timer.ts'
import { type AdminAnswer, type AdminResource, adminJson, adminProblem, READING } from './admin-answer.ts'
import { type ExpectedBody, judgeBody, wrongMember } from './json-body.ts'

/** How long an answer waits for data threads; one that has not followed by then is stuck, and will be when it goes on. */
const PATIENCE_MS = 5_000
const MAX_VALUE = 1_024
/** A hundred years: further is a mistake. */
const MAX_S = 3_155_760_000
const KINDS = ['jti', 'subject', 'tenant'] as const satisfies readonly RevocationKind[]
const EXAMPLE = 'exactly one of jti, subject and tenant, such as { "jti": "…" }'
const EXPECTED: ExpectedBody = { known: [...KINDS, 'forS'], example: EXAMPLE }

export interface RevocationsView {
  readonly revocations: RevocationLedger
  /** Whether there is a store that carries them further than this process. */
  readonly isShared: boolean
}

/**
 * `GET /revocations`: all in force. `POST` with jti, subject or tenant, and forS where it ends by itself: in force in
 * every data thread when it is answered. `DELETE` with the same: lifted.
 */
export function revocationsResource(
  view: RevocationsView,
  clock: Clock,
  startTimer: StartTimer,
): AdminResource {
  const nowS = (): number => clock.wallMs() / 1_000
  return {
    methods: [...READING, 'POST', 'DELETE'],
    answer(body, method) {
      if (READING.includes(method)) return listed(view.revocations, nowS())
      const asked = askedIn(body, nowS())
      if ('status' in asked) return asked
      const { revocations } = view
      const done = method === 'POST' ? revocations.revoke(asked) : revocations.lift(asked.kind, asked.value)
      return within(done, startTimer).then((outcome) => told(outcome, asked, method, view))
    },
  }
}

function listed(revocations: RevocationLedger, nowS: number): AdminAnswer {
  const inForce = [...revocations].filter(({ untilS }) => untilS === null || untilS > nowS)
  return adminJson(200, { revocations: inForce })
}

type Outcome = RevocationOutcome | 'late' | null

function told(
  outcome: Outcome,
  { kind, value, untilS }: Revocation,
  method: string,
  { isShared }: RevocationsView,
): AdminAnswer {
  switch (outcome) {
    case null:
      return adminProblem(404, {}, { detail: `No such ${kind} is revoked.` })
    case 'full':
      return adminProblem(
        503,
        {},
        { detail: 'No more can be revoked at once; lift some, or revoke a tenant.' },
      )
    case 'late':
      return adminProblem(503, {}, { detail: 'A data thread has not followed within 5 s; the others have.' })
    case 'done':
    case 'unstored': {
      const end = method === 'POST' ? { untilS } : {}
      return adminJson(200, { kind, value, ...end, stored: isShared ? outcome === 'done' : null })
    }
  }
}

/** Null: nothing of the kind was revoked. */
async function within(done: Promise<Outcome>, startTimer: StartTimer): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<'late'>()
  const cancel = startTimer(PATIENCE_MS, () => resolve('late'))
  const outcome = await Promise.race([done, promise])
  cancel()
  return outcome
}

function askedIn(body: string, nowS: number): Revocation | AdminAnswer {
  const { members, refusal } = judgeBody(body, EXPECTED)
  if (refusal !== null) return refusal
  const { forS = null } = members
  const [kind, second] = KINDS.filter((known) => known in members)
  if (kind === undefined) return wrongMember(KINDS[0], `Nobody is named; expected ${EXAMPLE}.`)
  if (second !== undefined) return wrongMember(second, `${second} is one too many; expected ${EXAMPLE}.`)
  const value = members[kind]
  if (typeof value !== 'string' || value === '' || value.length > MAX_VALUE) {
    return wrongMember(kind, `${kind} is not a text of 1 to ${MAX_VALUE} characters.`)
  }
  if (forS === null) return { kind, value, untilS: null }
  if (typeof forS !== 'number' || !(forS > 0) || forS > MAX_S) {
    const remedy = 'leave it out for a revocation without end'
    return wrongMember('forS', `forS is not a number of seconds above 0; ${remedy}.`)
  }
  return { kind, value, untilS: nowS + forS }
}
