import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RouteLimitConfig } from '../../src/config/demand.ts'
import type { Decision, Limiter } from '../../src/limits/limiter.ts'
import { PlaceCount } from '../../src/limits/place-count.ts'
import { SharedLimiter } from '../../src/limits/shared-limiter.ts'
import { type LimitParts, limitPolicy } from '../../src/policies/limit.ts'
import { Plans, type PlansParts } from '../../src/policies/plan.ts'
import { shadowPolicy } from '../../src/policies/shadow.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import type { Policy, Verdict } from '../../src/proxy/policy.ts'
import { bucketMemory, HASH_KEY, LimitTimeline } from '../limits/limit-parts.ts'
import { routeOwning } from '../proxy/exchange-of.ts'
import { parsedGet } from '../proxy/parsed-head.ts'
import { identityOf } from '../support/identity.ts'

const FREE = {
  name: 'free',
  rate: { count: 10, periodMs: 1_000, burst: 20 },
  quota: { limit: 25, window: 'day' },
  concurrency: 5,
  weight: 1,
} as const
const PRO = {
  ...{ name: 'pro', rate: { count: 200, periodMs: 1_000, burst: 400 }, quota: null },
  ...{ concurrency: null, weight: 4 },
}
const LOGIN: RouteLimitConfig = {
  name: 'login',
  per: 'ip',
  rate: { count: 5, periodMs: 60_000, burst: 5 },
  onStoreError: 'local',
}

function exchangeBy(tenant: string | null, clientIp = '192.0.2.7', subject = 'user-1'): Exchange {
  const exchange = new Exchange(parsedGet('/orders'), routeOwning(), clientIp, 'http', 'request-1', 0)
  if (tenant !== null) exchange.identity = identityOf({ subject, tenant })
  return exchange
}

function plansOf(changes: Partial<PlansParts> = {}): Plans {
  return new Plans({
    plans: [FREE, PRO],
    defaultPlan: 'free',
    planOfTenant: new Map([['globex', 'pro']]),
    claimedPlan: () => null,
    countUnknown: () => {},
    ...changes,
  })
}

function stage(changes: Partial<LimitParts> = {}) {
  const time = new LimitTimeline()
  const places = new PlaceCount(PlaceCount.create(64, 1, HASH_KEY), 0)
  const policy = limitPolicy({
    limiter: new SharedLimiter(bucketMemory(), time),
    plans: plansOf(),
    route: null,
    places,
    ...changes,
  })
  return { time, places, policy }
}

function ask(policy: Policy, exchange: Exchange): Verdict {
  const verdict = policy.admit(exchange)
  assert.ok(!(verdict instanceof Promise))
  return verdict
}

/** Asks and, if it was admitted, ends the exchange at once. */
function pass(policy: Policy, exchange: Exchange): Verdict {
  const verdict = ask(policy, exchange)
  if (verdict === null) policy.settle?.(exchange)
  return verdict
}

function codeOf(verdict: Verdict): string | null {
  return verdict !== null && verdict.kind === 'failure' ? verdict.code : null
}

describe('a plan', () => {
  test('states what is left on success, and on refusal when to come back', () => {
    const { policy } = stage()
    const first = exchangeBy('acme')
    assert.equal(pass(policy, first), null)
    assert.equal(first.answered, 'RateLimit-Policy: "free";q=20;w=2\r\nRateLimit: "free";r=19;t=1\r\n')
    for (let index = 1; index < 20; index++) assert.equal(pass(policy, exchangeBy('acme')), null)
    const refused = exchangeBy('acme')
    const verdict = pass(policy, refused)
    assert.ok(verdict !== null && verdict.kind === 'failure')
    assert.deepEqual(
      [verdict.code, verdict.status, verdict.fields],
      ['rate_limited', 429, 'Retry-After: 1\r\n'],
    )
    assert.equal(refused.answered, 'RateLimit-Policy: "free";q=20;w=2\r\nRateLimit: "free";r=0;t=2\r\n')
  })

  test('is one bucket for all of a tenant and none of another', () => {
    const { policy } = stage()
    for (let index = 0; index < 20; index++) pass(policy, exchangeBy('acme', '192.0.2.1', `user-${index}`))
    assert.equal(codeOf(pass(policy, exchangeBy('acme'))), 'rate_limited')
    assert.equal(pass(policy, exchangeBy('initech')), null)
  })

  test('ends with its quota, until the window does', () => {
    const { policy, time } = stage()
    time.epochMs = Date.UTC(2026, 5, 1, 12)
    let admitted = 0
    for (let second = 0; second < 60; second++) {
      if (pass(policy, exchangeBy('acme')) === null) admitted++
      time.pass(1_000)
    }
    assert.equal(admitted, 25)
    const exchange = exchangeBy('acme')
    const verdict = pass(policy, exchange)
    assert.ok(verdict !== null && verdict.kind === 'failure')
    assert.deepEqual([verdict.code, verdict.status], ['quota_exceeded', 429])
    assert.equal(verdict.fields, `Retry-After: ${12 * 3_600 - 60}\r\n`)
    assert.equal(
      exchange.answered,
      `RateLimit-Policy: "free";q=25;w=86400\r\nRateLimit: "free";r=0;t=${12 * 3_600 - 60}\r\n`,
    )
  })

  test('admits so many at once, and another when one of them is over', () => {
    const { policy, places } = stage()
    const held = Array.from({ length: 5 }, () => exchangeBy('acme'))
    for (const exchange of held) assert.equal(ask(policy, exchange), null)
    const verdict = ask(policy, exchangeBy('acme'))
    assert.ok(verdict !== null && verdict.kind === 'failure')
    assert.deepEqual([verdict.code, verdict.fields], ['rate_limited', 'Retry-After: 1\r\n'])
    assert.equal(ask(policy, exchangeBy('initech')), null)
    policy.settle?.(held[0] as Exchange)
    const next = exchangeBy('acme')
    assert.equal(ask(policy, next), null)
    assert.match(next.answered, /r=14;/, 'the refused one took nothing from the bucket')
    assert.equal(places.taken('acme'), 5)
  })

  test('that refuses by rate leaves no place taken', () => {
    const { policy, places } = stage()
    for (let index = 0; index < 100; index++) pass(policy, exchangeBy('acme'))
    assert.equal(places.taken('acme'), 0)
  })

  test('is what the operator says, or else the credential, or else the default', () => {
    let unknown = 0
    const plans = plansOf({
      claimedPlan: ({ subject }) => (subject === '' ? null : subject),
      countUnknown: () => void unknown++,
    })
    const planOf = (tenant: string, claim: string): string =>
      plans.planOf(identityOf({ subject: claim, tenant })).name
    assert.deepEqual(
      [planOf('globex', 'free'), planOf('acme', 'pro'), planOf('acme', '')],
      ['pro', 'pro', 'free'],
    )
    assert.equal(unknown, 0)
    assert.equal(planOf('acme', 'platinum'), 'free')
    assert.equal(unknown, 1)
  })
})

describe('a route limit', () => {
  // The attack: whoever has one IPv6 network has 2⁶⁴ addresses to come from.
  test('per address takes a network of IPv6 for one client', () => {
    const { policy } = stage({ plans: null, route: LOGIN })
    for (let index = 0; index < 5; index++)
      assert.equal(pass(policy, exchangeBy(null, `2001:db8:1:2:${index}::1`)), null)
    assert.equal(codeOf(pass(policy, exchangeBy(null, '2001:DB8:1:2::99'))), 'rate_limited')
    assert.equal(
      codeOf(pass(policy, exchangeBy(null, '2001:0db8:0001:0002:ffff:ffff:ffff:ffff'))),
      'rate_limited',
    )
    assert.equal(pass(policy, exchangeBy(null, '2001:db8:1:3::1')), null)
  })

  test('per address knows an IPv4 client by either form of its address', () => {
    const { policy } = stage({ plans: null, route: LOGIN })
    for (let index = 0; index < 5; index++) pass(policy, exchangeBy(null, '192.0.2.1'))
    assert.equal(codeOf(pass(policy, exchangeBy(null, '::ffff:192.0.2.1'))), 'rate_limited')
    assert.equal(pass(policy, exchangeBy(null, '192.0.2.2')), null)
  })

  test('per subject takes the same subject of two tenants for two', () => {
    const { policy } = stage({ plans: null, route: { ...LOGIN, per: 'subject' } })
    for (let index = 0; index < 5; index++) pass(policy, exchangeBy('acme'))
    assert.equal(codeOf(pass(policy, exchangeBy('acme'))), 'rate_limited')
    assert.equal(pass(policy, exchangeBy('acme', '192.0.2.7', 'user-2')), null)
    assert.equal(pass(policy, exchangeBy('globex')), null)
  })

  test('per tenant or subject knows who has no identity by address', () => {
    for (const per of ['tenant', 'subject'] as const) {
      const { policy } = stage({ plans: null, route: { ...LOGIN, per } })
      for (let index = 0; index < 5; index++) pass(policy, exchangeBy(null, '192.0.2.1'))
      assert.equal(codeOf(pass(policy, exchangeBy(null, '192.0.2.1'))), 'rate_limited')
      assert.equal(pass(policy, exchangeBy(null, '192.0.2.2')), null)
    }
  })

  test('per route is one bucket for everybody', () => {
    const { policy } = stage({ plans: null, route: { ...LOGIN, per: 'route' } })
    for (let index = 0; index < 5; index++) pass(policy, exchangeBy(`tenant-${index}`))
    assert.equal(codeOf(pass(policy, exchangeBy('another'))), 'rate_limited')
  })

  test('on top of a plan answers with whichever is nearer, and takes nothing from the plan when it refuses', () => {
    const limiter = new SharedLimiter(bucketMemory(), new LimitTimeline())
    const { policy } = stage({ limiter, route: LOGIN })
    for (let index = 0; index < 5; index++) {
      const exchange = exchangeBy('acme')
      assert.equal(pass(policy, exchange), null)
      assert.match(exchange.answered, /^RateLimit-Policy: "login";q=5;w=60\r\n/)
    }
    for (let index = 0; index < 40; index++)
      assert.equal(codeOf(pass(policy, exchangeBy('acme'))), 'rate_limited')
    const elsewhere = exchangeBy('acme')
    pass(stage({ limiter }).policy, elsewhere)
    assert.match(elsewhere.answered, /RateLimit: "free";r=14;/)
  })

  test('names a route by a string of structured fields, whatever the name holds', () => {
    const { policy } = stage({ plans: null, route: { ...LOGIN, name: 'a "b" \\ ü\r\nX: y' } })
    const exchange = exchangeBy('acme')
    pass(policy, exchange)
    assert.match(exchange.answered, /^RateLimit-Policy: "a \\"b\\" \\\\ \?\?\?X: y";q=5;w=60\r\n/)
  })
})

describe('a store that takes its time', () => {
  function waiting() {
    let answer: (decision: Decision) => void = () => {}
    const limiter: Limiter = {
      take: () =>
        new Promise<Decision>((resolve) => {
          answer = resolve
        }),
    }
    return { limiter, answer: (decision: Decision) => answer(decision) }
  }
  const OPEN: Decision = { admitted: true, rule: null, by: 'plan', left: 0, resetS: 0, retryAfterS: 0 }

  test('keeps no place for a client that left meanwhile', async () => {
    const { limiter, answer } = waiting()
    const { policy, places } = stage({ limiter })
    const exchange = exchangeBy('acme')
    const verdict = policy.admit(exchange)
    assert.equal(places.taken('acme'), 1)
    exchange.over = true
    answer(OPEN)
    await verdict
    assert.equal(places.taken('acme'), 0)
  })

  test('and whose rule is closed refuses with 503', async () => {
    const { limiter, answer } = waiting()
    const { policy, places } = stage({ limiter })
    const verdict = policy.admit(exchangeBy('acme'))
    answer({ ...OPEN, admitted: false, by: 'store' })
    assert.equal(codeOf(await verdict), 'limits_unavailable')
    assert.equal(places.taken('acme'), 0)
  })
})

describe('a shadowed limit', () => {
  test('decides and reports, and neither refuses nor answers', () => {
    const reports: (string | null)[] = []
    const { policy, places } = stage()
    const shadow = shadowPolicy(policy, (_exchange, kind, verdict) => reports.push(codeOf(verdict) ?? kind))
    const held = Array.from({ length: 7 }, () => exchangeBy('acme'))
    for (const exchange of held) assert.equal(ask(shadow, exchange), null)
    assert.deepEqual(reports, ['limit', 'limit', 'limit', 'limit', 'limit', 'rate_limited', 'rate_limited'])
    for (const exchange of held) assert.deepEqual([exchange.answered, exchange.place], ['', -1])
    assert.equal(places.taken('acme'), 5)
    for (const exchange of held) shadow.settle?.(exchange)
    assert.equal(places.taken('acme'), 0)
  })

  test('is settled with its own copy when several are shadowed', () => {
    const [one, other] = [stage(), stage({ plans: plansOf({ defaultPlan: 'pro' }) })]
    const shadows = [one.policy, other.policy].map((policy) => shadowPolicy(policy, () => {}))
    const exchange = exchangeBy('acme')
    for (const shadow of shadows) ask(shadow, exchange)
    assert.equal(one.places.taken('acme'), 1)
    for (const shadow of shadows.toReversed()) shadow.settle?.(exchange)
    assert.equal(one.places.taken('acme'), 0)
    assert.equal(exchange.shade, null)
  })

  test('that waits for a store holds nothing up, and is settled whenever it is done', async () => {
    let decide: (decision: Decision) => void = () => {}
    const limiter: Limiter = {
      take: () =>
        new Promise((resolve) => {
          decide = resolve
        }),
    }
    const { policy, places } = stage({ limiter })
    const reports: Verdict[] = []
    const shadow = shadowPolicy(policy, (_exchange, _kind, verdict) => reports.push(verdict))
    const exchange = exchangeBy('acme')
    assert.equal(ask(shadow, exchange), null)
    shadow.settle?.(exchange)
    assert.equal(places.taken('acme'), 1)
    decide({ admitted: true, rule: null, by: 'plan', left: 0, resetS: 0, retryAfterS: 0 })
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(reports, [null])
    assert.equal(places.taken('acme'), 0)
  })
})
