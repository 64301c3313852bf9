import { systemClock } from '../lib/clock.ts'
import type { Revocation, RevocationKind } from '../revocation/revocation-set.ts'
import { type Arguments, optionValue } from './arguments.ts'
import { askAdmin } from './ask-admin.ts'
import type { Command } from './command.ts'
import { misuse } from './misuse.ts'
import type { ProcessEdge } from './process-edge.ts'
import { DURATION_FORM, distance, moment, secondsOf } from './time-text.ts'

const KINDS: readonly RevocationKind[] = ['jti', 'subject', 'tenant']
const PATH = '/revocations'

interface Revoked {
  readonly kind: RevocationKind
  readonly value: string
}

/** Has a running gateway refuse a token, a subject or a tenant. Exits 1 where it did not, 2 on misuse. */
export async function revoke(
  edge: ProcessEdge,
  given: Arguments,
  commands: readonly Command[],
): Promise<void> {
  const refuse = (fault: string): never => misuse(edge, commands, 'revoke', fault)
  const { kind, value } = revokedOf(given, refuse)
  const length = optionValue(given, 'for')
  const forS = length === null ? null : (secondsOf(length) ?? refuse(`takes as --for ${DURATION_FORM}`))
  const body = { [kind]: value, ...(forS === null ? {} : { forS }) }
  const answer = await ask(edge, given, { method: 'POST', path: PATH, body })
  if (given.options.has('json')) {
    edge.print(`${JSON.stringify(answer, null, 2)}\n`)
    return
  }
  const end = forS === null ? 'until it is lifted' : `for ${length}`
  edge.print(`${kind} ${value} is revoked ${end}, on every data thread.${unstored(answer)}\n`)
}

/** Lists what a running gateway refuses. Exits 1 where it cannot be asked. */
export async function revokeList(edge: ProcessEdge, given: Arguments): Promise<void> {
  const answer = await ask(edge, given, { method: 'GET', path: PATH, body: null })
  if (given.options.has('json')) {
    edge.print(`${JSON.stringify(answer, null, 2)}\n`)
    return
  }
  const nowS = systemClock.wallMs() / 1_000
  // What the operator listener of this product answers with.
  const { revocations = [] } = (answer ?? {}) as { readonly revocations?: readonly Revocation[] }
  const lines = revocations.map(({ kind, value, untilS }) => {
    const end = untilS === null ? 'until it is lifted' : `until ${moment(untilS)} (${distance(untilS, nowS)})`
    return `${kind}  ${value}  ${end}\n`
  })
  edge.print(lines.length === 0 ? 'Nothing is revoked.\n' : lines.join(''))
}

/** Has it believed again. Exits 1 where it was not revoked, 2 on misuse. */
export async function revokeLift(
  edge: ProcessEdge,
  given: Arguments,
  commands: readonly Command[],
): Promise<void> {
  const { kind, value } = revokedOf(given, (fault) => misuse(edge, commands, 'revoke lift', fault))
  const answer = await ask(edge, given, { method: 'DELETE', path: PATH, body: { [kind]: value } })
  if (given.options.has('json')) {
    edge.print(`${JSON.stringify(answer, null, 2)}\n`)
    return
  }
  edge.print(`${kind} ${value} is believed again.${unstored(answer)}\n`)
}

/** What the operator listener says of the store that replicas share. */
function unstored(answer: unknown): string {
  const failed =
    typeof answer === 'object' && answer !== null && 'stored' in answer && answer.stored === false
  return failed ? ' The store did not take it: other replicas do not know.' : ''
}

function revokedOf(given: Arguments, refuse: (fault: string) => never): Revoked {
  const named = KINDS.flatMap((kind) => {
    const value = optionValue(given, kind)
    return value === null ? [] : [{ kind, value }]
  })
  const [only, second] = named
  return only === undefined || second !== undefined
    ? refuse('needs exactly one of --jti, --subject and --tenant')
    : only
}

async function ask(
  edge: ProcessEdge,
  given: Arguments,
  question: Parameters<typeof askAdmin>[2],
): Promise<unknown> {
  const reply = await askAdmin(edge, given, question)
  if (reply.fault === null) return reply.body
  edge.complain(`nyro: ${reply.fault}\n`)
  return edge.exit(1)
}
