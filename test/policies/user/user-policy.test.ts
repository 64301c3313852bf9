import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type {
  PolicyExchange,
  PolicyInstance,
  SettledExchange,
} from '../../../src/policies/user/define-policy.ts'
import { answer, type PolicyVerdict, refuse, unavailable } from '../../../src/policies/user/policy-verdict.ts'
import { UserPolicy } from '../../../src/policies/user/user-policy.ts'
import type { Exchange } from '../../../src/proxy/exchange.ts'
import { failure } from '../../../src/proxy/failure.ts'
import type { Verdict } from '../../../src/proxy/policy.ts'
import { exchangeOf, routeOwning } from '../../proxy/exchange-of.ts'
import { parsedRequest } from '../../proxy/parsed-head.ts'
import { identityOf } from '../../support/identity.ts'
import { settled } from '../../support/manual-time.ts'
import { PolicyStage } from './policy-folder.ts'

const TIMEOUT_MS = 250
const UNAVAILABLE = failure('policy_unavailable', { fields: 'Retry-After: 1\r\n' })

let stage = new PolicyStage()
beforeEach(() => {
  stage = new PolicyStage()
})

function policyOf(instance: PolicyInstance, owns: readonly string[] = ['X-Own']): UserPolicy {
  const { log, time } = stage
  const parts = {
    nowMs: () => time.nowMs,
    wallMs: () => time.nowMs,
    log: (level: 'debug' | 'info' | 'warning' | 'error', event: string, fields = {}) =>
      log(level, event, fields),
  }
  return new UserPolicy({ kind: 'own', owns, timeoutMs: TIMEOUT_MS }, instance, parts, stage.wheel)
}

function exchange(...lines: readonly string[]): Exchange {
  return exchangeOf(
    parsedRequest('GET /orders?a=1 HTTP/1.1', 'Host: gw.test', ...lines),
    routeOwning('x-own'),
  )
}

/** What a verdict comes to, whatever JavaScript lets an author give. */
function verdictOf(given: unknown): Verdict | Promise<Verdict> {
  return policyOf({ admit: () => given as PolicyVerdict }).admit(exchange())
}

/** Lets the wheel's clock pass. */
function pass(ms: number): void {
  stage.time.nowMs += ms
  stage.wheel.turn()
}

describe('a verdict', () => {
  test('of null admits', () => assert.equal(verdictOf(null), null))

  test('to refuse is 403 policy_refused, with the detail on one bounded line of visible ASCII', () => {
    assert.deepEqual(verdictOf(refuse()), failure('policy_refused'))
    assert.deepEqual(verdictOf(refuse('No.\r\nX: é\0')), failure('policy_refused', { detail: 'No.??X: ??' }))
    const long = verdictOf(refuse('a'.repeat(1_000)))
    assert.ok(long !== null && !(long instanceof Promise) && long.kind === 'failure')
    assert.deepEqual([long.status, long.detail.length], [403, 200])
  })

  test('to be unavailable is 503 policy_unavailable with Retry-After', () => {
    assert.deepEqual(verdictOf(unavailable()), UNAVAILABLE)
    assert.deepEqual(verdictOf(unavailable('Later.')), { ...UNAVAILABLE, detail: 'Later.' })
  })

  test('to answer is the answer', () => {
    assert.deepEqual(verdictOf(answer(418, { 'X-Tea': 'pot' }, 'short')), {
      kind: 'answer',
      status: 418,
      fields: 'X-Tea: pot\r\n',
      body: Buffer.from('short'),
    })
  })

  // The attack: what an author puts into an answer from a token or an authoriser ends the line and begins another.
  test("to answer that would split the head, or states what is the gateway's, is a defect", () => {
    const bad = [
      answer(200, { 'X-A': 'a\r\nX-B: b' }),
      answer(200, { 'X-A': 'a\0' }),
      answer(200, { 'X-A\r\nX-B': 'a' }),
      answer(200, { 'Content-Length': '5' }),
      answer(200, { transfer_encoding: 'chunked' }),
      answer(200, { 'Access-Control-Allow-Origin': '*' }),
      answer(101),
      answer(600),
      answer(204, {}, 'a body'),
    ]
    for (const verdict of bad) assert.throws(() => verdictOf(verdict), /^Error: policy own failed in admit/)
  })

  // The fault: an admit that forgets to return gives undefined, which must not let anybody pass.
  test('that is none is a defect', () => {
    for (const given of [undefined, true, 'null', {}, { verdict: 'admit' }, failure('internal')])
      assert.throws(() => verdictOf(given), /admit gave no verdict/)
  })
})

describe("an author's exception", () => {
  test('is a defect that names the policy and keeps the stack', () => {
    const policy = policyOf({
      admit: function brokenAdmit() {
        throw new TypeError('no luck')
      },
    })
    assert.throws(
      () => policy.admit(exchange()),
      (error: Error) =>
        /^policy own failed in admit: TypeError: no luck\n.*brokenAdmit/s.test(error.stack ?? ''),
    )
  })

  test('in a promise is one too, whatever is thrown', async () => {
    await assert.rejects(async () => verdictOf(Promise.reject(new Error('no luck'))), /policy own failed/)
    await assert.rejects(async () => verdictOf(Promise.reject(null)), /policy own failed/)
    await assert.rejects(async () => verdictOf(Promise.resolve(undefined)), /policy own failed/)
  })

  test('in settle is logged, and ends nothing, a rejection included', async () => {
    const broken: readonly PolicyInstance['settle'][] = [
      () => {
        throw new Error('no luck')
      },
      (async () => {
        throw new Error('no luck')
      }) as PolicyInstance['settle'], // a promise fits where nothing is asked for
    ]
    for (const settle of broken) {
      if (settle === undefined) continue
      policyOf({ admit: () => null, settle }).settle(exchange())
      await settled()
    }
    assert.deepEqual(
      stage.lines.map(({ level, event }) => `${level} ${event}`),
      ['error Policy failed to settle', 'error Policy failed to settle'],
    )
  })
})

describe('an admit that waits', () => {
  test('is believed when it decides in time', async () => {
    const { promise, resolve } = Promise.withResolvers<PolicyVerdict>()
    const verdict = verdictOf(promise)
    pass(TIMEOUT_MS)
    resolve(refuse('No.'))
    assert.deepEqual(await verdict, failure('policy_refused', { detail: 'No.' }))
    pass(60_000)
    assert.deepEqual(stage.lines, [])
  })

  test('and never settles is unavailable after its limit, and says so now and then', async () => {
    const policy = policyOf({ admit: () => new Promise(() => {}) })
    for (let count = 0; count < 3; count++) {
      const verdict = policy.admit(exchange())
      pass(TIMEOUT_MS + 100)
      assert.deepEqual(await verdict, UNAVAILABLE)
    }
    assert.deepEqual(
      stage.lines.map(({ event, fields }) => [event, fields]),
      [['Policy did not decide in time', { timeout_ms: TIMEOUT_MS }]],
    )
  })

  test('may be any thenable', async () => {
    // biome-ignore lint/suspicious/noThenProperty: the thing under test.
    assert.equal(await verdictOf({ then: (take: (verdict: null) => void) => take(null) }), null)
  })

  test('states nothing and reads nothing once its limit is over', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const faults: unknown[] = []
    const late = async (seen: PolicyExchange): Promise<PolicyVerdict> => {
      await promise
      for (const act of [
        () => seen.assert('X-Own', 'a'),
        () => seen.answer('X-A', 'a'),
        () => seen.head.get('host'),
      ])
        try {
          act()
        } catch (error) {
          faults.push(error)
        }
      throw new Error('dropped')
    }
    const asked = exchange()
    const verdict = policyOf({ admit: late }).admit(asked)
    pass(TIMEOUT_MS + 100)
    assert.deepEqual(await verdict, UNAVAILABLE)
    resolve()
    await settled()
    assert.deepEqual([faults.length, asked.asserted, asked.answered], [3, '', ''])
  })

  // The leak: heads are used again. A policy that reads on when the client left would read another tenant's request.
  test('reads nothing of an exchange whose client left', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let fault: unknown = null
    const policy = policyOf({
      async admit(seen) {
        await promise
        try {
          seen.head.get('authorization')
        } catch (error) {
          fault = error
        }
        return null
      },
    })
    const asked = exchange('Authorization: Bearer x')
    const verdict = policy.admit(asked)
    asked.over = true
    resolve()
    await verdict
    assert.match(String(fault), /too late to read/)
  })
})

describe('what a policy sees', () => {
  test('is the head, the caller and the route', () => {
    const asked = exchange('X-A: 1', 'X-B: 2', 'x-a: 3')
    asked.identity = identityOf({ subject: 's', tenant: 't', expiresAtS: 9 })
    let seen: unknown[] = []
    const admit = ({ head, ...rest }: PolicyExchange): PolicyVerdict => {
      assert.deepEqual(rest, {}) // members are of the class: spreading gives none
      seen = [
        head.method,
        head.target,
        head.path,
        head.host,
        head.get('x-a'),
        head.get('x-c'),
        head.all('x-a'),
      ]
      return null
    }
    assert.equal(policyOf({ admit }).admit(asked), null)
    assert.deepEqual(seen, ['GET', '/orders?a=1', '/orders', 'gw.test', '1', null, ['1', '3']])
    const look = ({ route, clientIp, requestId, scheme, identity }: PolicyExchange): PolicyVerdict => {
      seen = [route, clientIp, requestId, scheme, identity?.tenant]
      return null
    }
    assert.equal(policyOf({ admit: look }).admit(asked), null)
    assert.deepEqual(seen, ['orders', '192.0.2.7', 'request-1', 'http', 't'])
  })

  test('is in settle also how it ended', () => {
    const asked = exchange()
    Object.assign(asked, {
      status: 502,
      code: 'upstream_invalid',
      bytesIn: 1,
      bytesOut: 2,
      aborted: true,
      over: true,
    })
    let seen: unknown[] = []
    const settle = (over: SettledExchange): void => {
      seen = [over.status, over.code, over.bytesIn, over.bytesOut, over.aborted, over.head.path]
    }
    policyOf({ admit: () => null, settle }).settle(asked)
    assert.deepEqual(seen, [502, 'upstream_invalid', 1, 2, true, '/orders'])
  })

  test('is the same in a policy without a settle', () => {
    policyOf({ admit: () => null }).settle(exchange())
    assert.deepEqual(stage.lines, [])
  })
})

describe('what a policy states', () => {
  function states(act: (seen: PolicyExchange) => void): Exchange {
    const asked = exchange()
    const admit = (seen: PolicyExchange): PolicyVerdict => {
      act(seen)
      return null
    }
    assert.equal(policyOf({ admit }).admit(asked), null)
    return asked
  }

  test('to the upstream are fields it owns, in any letter case', () => {
    assert.equal(states((seen) => seen.assert('x-OWN', 'a b')).asserted, 'x-OWN: a b\r\n')
    assert.throws(
      () => states((seen) => seen.assert('X-Other', 'a')),
      /"X-Other" to the upstream, which is not in its owns/,
    )
    assert.throws(() => states((seen) => seen.assert('X_Own', 'a')), /not in its owns/)
  })

  test("to the client are fields that are not the gateway's", () => {
    assert.equal(states((seen) => seen.answer('X-A', 'a')).answered, 'X-A: a\r\n')
    for (const name of ['Content-Type', 'content_length', 'X-Request-ID', 'Connection', 'Date', 'a b', ''])
      assert.throws(() => states((seen) => seen.answer(name, 'a')), /not a policy's to state/, name)
  })

  // The attack: a claim with a line break in it, stated by a policy that did not look, adds a field or a request.
  test('cannot split the head, and is not told of in the error', () => {
    const tainted = [
      'evil\r\nX-Company-ID: acme',
      'evil\n',
      'evil\r',
      'evil\0',
      'evil\té',
      'evïl',
      ' evil',
      'evil ',
      'evil  x',
      '',
    ]
    for (const value of [...tainted, 'evil'.repeat(4_000)]) {
      for (const act of [
        (seen: PolicyExchange) => seen.assert('X-Own', value),
        (seen: PolicyExchange) => seen.answer('X-A', value),
      ])
        assert.throws(
          () => states(act),
          (error: Error) => error.message.includes('own') && !(error.stack ?? '').includes('evil'),
        )
    }
    for (const value of [1, null, undefined, ['a'], {}])
      assert.throws(() => states((seen) => seen.assert('X-Own', value as string)), /not visible ASCII/)
  })
})
