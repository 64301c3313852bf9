import { createSigningKey } from '../assertion/signing-key.ts'
import { askedClaims } from '../config/asked-claim.ts'
import type { Config } from '../config/config.ts'
import type { Head } from '../http1/head.ts'
import { Wire } from '../http1/wire.ts'
import { type Clock, machineMs } from '../lib/clock.ts'
import type { Answer } from '../proxy/answer.ts'
import { Exchange } from '../proxy/exchange.ts'
import type { Failure } from '../proxy/failure.ts'
import { Peer } from '../proxy/forwarded.ts'
import { brokenFailure } from '../proxy/protocol-failure.ts'
import { requestIdOf } from '../proxy/request-id.ts'
import type { Route } from '../proxy/route.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import { UpstreamMemory } from '../upstreams/upstream-memory.ts'
import { UpstreamSet } from '../upstreams/upstream-set.ts'
import { Preparer } from '../worker/preparation.ts'
import { ThreadAssertion } from '../worker/thread-assertion.ts'
import { type IdentityBirth, ThreadIdentity } from '../worker/thread-identity.ts'
import { ThreadLog } from '../worker/thread-log.ts'
import { trustedPeers } from '../worker/trusted-peers.ts'
import { type Asked, readAsked } from './asked.ts'
import type { EndingExplanation, Explanation, PolicyExplanation } from './explanation.ts'
import { IdleTraffic } from './idle-traffic.ts'
import { otherRoutes } from './route-fault.ts'
import { explainUpstream } from './upstream-part.ts'

export interface ExplainParts {
  readonly config: Config
  /** As threads know them; without endpoints where nothing runs. */
  readonly live: readonly LiveUpstream[]
  /** What the running threads share; null where nothing runs. */
  readonly memory: SharedArrayBuffer | null
  /** What threads know of published keys and revocations. */
  readonly identity: IdentityBirth
  readonly clock: Clock
}

const WOULD_BE_NEW = 'a new UUID'

/**
 * What would become of a request: compiled, matched and asked by the very code that serves, with no listener and no
 * connection. Policies of the operator's are asked too, so one that calls out does so. Rejects, with a line for the
 * operator, where the config cannot be made ready.
 */
export async function explain(asked: Asked, parts: ExplainParts): Promise<Explanation> {
  const { config, live, clock } = parts
  const read = readAsked(asked)
  if (read.head === null) return unreadable(asked, brokenFailure(read.error))
  const head = read.head
  const wire = new Wire(clock.monotonicMs)
  try {
    const upstreams = new UpstreamSet(upstreamParts(parts, wire))
    const log = new ThreadLog('critical', clock.wallMs, () => {})
    const identity = new ThreadIdentity({ birth: parts.identity, clock, ask: null })
    const assertion = new ThreadAssertion(createSigningKey(), clock)
    const traffic = new IdleTraffic(UpstreamMemory.create(1, machineMs()), clock, log)
    const preparer = new Preparer({
      ...{ clock, wire, upstreams, identity, assertion, log, traffic },
      isReady: () => true,
      metrics: null,
    })
    const { routes } = config
    const ahead = { using: routes, claims: askedClaims(routes) }
    const preparation = await preparer.begin(explainable(config), live, ahead)
    preparation.add(JSON.stringify(config.routes))
    preparation.finish()
    const route = preparation.take().match(head)
    return await follow(asked, head, route, parts)
  } finally {
    wire.wheel.stop()
  }
}

/** Without its routes, and without the key of assertions: what is shown must not be a proof that upstreams accept. */
function explainable(config: Config): Config {
  const { tenant } = config
  const assertion = tenant.assertion === null ? null : { ...tenant.assertion, key: null }
  return { ...config, tenant: { ...tenant, assertion }, routes: [] }
}

async function follow(asked: Asked, head: Head, route: Route, parts: ExplainParts): Promise<Explanation> {
  const { config, clock } = parts
  const origin = new Peer(asked.from, trustedPeers(config.trustedProxies)).originOf(head)
  const requestId = requestIdOf(head, () => WOULD_BE_NEW)
  const exchange = new Exchange(head, route, origin.clientIp, origin.scheme, requestId, clock.monotonicMs())
  const policies: PolicyExplanation[] = []
  let end: Failure | Answer | null = null
  for (const policy of route.policies) {
    end = await policy.admit(exchange)
    policies.push(explainPolicy(policy.kind, end))
    if (end !== null) break
    exchange.admitted++
  }
  const { policies: asked_, target } = route
  while (exchange.admitted > 0) asked_[--exchange.admitted]?.settle?.(exchange)
  const { identity } = exchange
  return {
    request: { method: head.method, target: head.target, host: head.host },
    route: { chosen: route.name, others: otherRoutes(config.routes, head, route.name) },
    policies,
    identity: identity === null ? null : { subject: identity.subject, tenant: identity.tenant },
    ending: end === null ? { kind: 'forwarded' } : explainEnding(end),
    upstream: end !== null || target === null ? null : explainUpstream(exchange, head, target, origin, parts),
  }
}

function explainPolicy(kind: string, end: Failure | Answer | null): PolicyExplanation {
  if (end === null) return { policy: kind, verdict: 'admits', reason: '' }
  if (end.kind === 'failure') {
    return { policy: kind, verdict: 'refuses', reason: `${end.status} ${end.code}: ${end.detail}` }
  }
  return { policy: kind, verdict: 'answers', reason: String(end.status) }
}

function explainEnding(end: Failure | Answer): EndingExplanation {
  if (end.kind === 'failure') {
    return { kind: 'refused', status: end.status, code: end.code, detail: end.detail }
  }
  const fields = end.fields.split('\r\n').filter((line) => line !== '')
  return { kind: 'answered', status: end.status, fields }
}

function unreadable({ method, url }: Asked, refusal: Failure): Explanation {
  return {
    request: { method, target: url, host: '' },
    route: { chosen: null, others: [] },
    policies: [],
    identity: null,
    ending: explainEnding(refusal),
    upstream: null,
  }
}

/** Upstreams with counts of their own: what is only explained must not count among what runs. */
function upstreamParts({ clock }: ExplainParts, wire: Wire): ConstructorParameters<typeof UpstreamSet>[0] {
  const { monotonicMs } = clock
  const memory = UpstreamMemory.create(1, machineMs())
  return {
    memory: new UpstreamMemory(memory, 0, { monotonicMs, machineMs }),
    wire,
    threads: 1,
    random: Math.random,
    onSurplus: () => {},
  }
}
