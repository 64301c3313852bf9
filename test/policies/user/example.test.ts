import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type Question, startAuthoriser } from '../../../examples/external-authoriser/authoriser.ts'
import { startUpstream as startPlainUpstream } from '../../../examples/external-authoriser/upstream.ts'
import { startUpstream } from '../../../examples/signed-assertion/upstream.ts'
import type { Config } from '../../../src/config/config.ts'
import { loadFile } from '../../../src/config/file/load.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { loadUserPolicies } from '../../../src/policies/user/load-user-policies.ts'
import { routeTo } from '../../support/config-part.ts'
import { assertProblem } from '../../support/problem.ts'
import { type RawResponse, request } from '../../support/raw-client.ts'
import { bearer, CLAIMS, SECRET, tenantToken, token } from '../../support/token.ts'
import { PlaneStage } from '../../worker/open-plane.ts'
import { PolicyStage } from './policy-folder.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', '..', 'examples')
const KEY = 'assertion-key-0123456789abcdef0123456789abcdef'

interface Service {
  address(): AddressInfo | string | null
  close(): unknown
  closeAllConnections(): void
}

const services: Service[] = []
after(() => {
  for (const service of services) end(service)
})

/** Its URL, and that it is gone in the end. */
async function started(starting: Promise<Service>): Promise<[Service, string]> {
  const service = await starting
  services.push(service)
  const address = service.address()
  assert.ok(address !== null && typeof address === 'object')
  return [service, `http://127.0.0.1:${address.port}`]
}

function end(service: Service): void {
  service.close()
  service.closeAllConnections()
}

/** What the examples' files read from the environment. */
const ENV = { GATEWAY_JWT_SECRET: SECRET, ASSERTION_KEY: KEY }

/**
 * The example's own nyro.yaml, for a free port and this upstream, and with a route beside it that asks nobody. `own`:
 * instead of what the file gives the policy.
 */
async function configOf(
  example: string,
  upstream: string,
  own: Readonly<Record<string, unknown>> = {},
): Promise<Config> {
  const source = {
    env: ENV,
    dotenvText: null,
    cores: 1,
    readFile: (path: string) => readFileSync(path),
    checkKey: () => Promise.reject(new Error('the examples have no public key')),
  }
  const loaded = await loadFile(join(EXAMPLES, example, 'nyro.yaml'), source)
  assert.ok(loaded.config !== null, JSON.stringify(loaded))
  assert.deepEqual(loaded.warnings, [])
  const [orders] = loaded.config.routes
  const [policy] = orders?.policies ?? []
  assert.ok(orders !== undefined && policy !== undefined)
  const given = policy.with as Readonly<Record<string, unknown>> // as the file has it
  for (const key of Object.keys(own)) assert.ok(key in given, key)
  const endpoints = [{ url: upstream }]
  return {
    ...loaded.config,
    workers: 1,
    listen: { ...loaded.config.listen, port: 0 },
    upstreams: loaded.config.upstreams.map((upstreamConfig) => ({ ...upstreamConfig, endpoints })),
    routes: [
      { ...orders, policies: [{ ...policy, with: { ...given, ...own } }] },
      routeTo('orders', '/open/*', 'none', { name: 'open' }),
    ],
  }
}

describe('the example of a signed assertion', () => {
  async function staged(
    act: (
      ask: (path: string, fields: readonly (readonly [string, string])[]) => Promise<RawResponse>,
    ) => Promise<void>,
    clock?: Clock,
  ): Promise<void> {
    const [, url] = await started(startUpstream(0, KEY))
    await using plane = await PlaneStage.open(await configOf('signed-assertion', url), clock)
    using client = await plane.connect()
    await act((path, fields) => client.ask(request('GET', path, fields)))
  }

  interface Claims {
    readonly claims: Readonly<Record<string, unknown>> | null
  }

  test('lets a service verify who calls', () =>
    staged(async (ask) => {
      const got = await ask('/orders/1', [bearer(tenantToken('acme'))])
      assert.equal(got.status, 200)
      const { iss, aud, sub, tenant, iat, exp } = got.json<Claims>().claims ?? {}
      assert.deepEqual(
        [iss, aud, sub, tenant, Number(exp) - Number(iat)],
        ['nyro', 'orders', 'user-1', 'acme', 60],
      )
    }))

  test('speaks for each caller alone', () =>
    staged(async (ask) => {
      for (const tenant of ['a', 'b', 'a', 'c', 'b']) {
        const { claims } = (await ask('/orders/1', [bearer(tenantToken(tenant))])).json<Claims>()
        assert.equal(claims?.['tenant'], tenant)
      }
    }))

  // The attack: a client brings an assertion of its own, even a genuine one it once saw, where none is made.
  test('lets no client bring one of its own', () =>
    staged(async (ask) => {
      for (const name of ['X-Identity-Assertion', 'x_identity_assertion'])
        assert.equal((await ask('/open/1', [[name, 'a.b.c']])).status, 401)
      const got = await ask('/orders/1', [bearer(tenantToken('acme')), ['X-Identity-Assertion', 'a.b.c']])
      assert.equal(got.json<Claims>().claims?.['tenant'], 'acme')
    }))

  test('keeps an assertion until shortly before it expires, and never beyond the token', async () => {
    const startMs = Date.now()
    let wallMs = startMs
    const clock: Clock = { wallMs: () => wallMs, monotonicMs: () => performance.now() }
    await staged(async (ask) => {
      const exp = async (jwt: string): Promise<number> =>
        Number((await ask('/orders/1', [bearer(jwt)])).json<Claims>().claims?.['exp'])
      const first = await exp(tenantToken('acme'))
      wallMs = startMs + 45_000
      assert.equal(await exp(tenantToken('acme')), first)
      wallMs = startMs + 55_000
      assert.ok((await exp(tenantToken('acme'))) >= first + 54)
      const soonS = Math.floor(wallMs / 1_000) + 20
      assert.equal(await exp(token({ ...CLAIMS, exp: soonS })), soonS)
    }, clock)
  })
})

describe('the example of an external authoriser', () => {
  interface Stage {
    readonly asked: readonly Question[]
    readonly authoriser: Service
    ask(method: string, tenant: string, path?: string): Promise<RawResponse>
  }

  async function staged(
    own: Readonly<Record<string, unknown>>,
    act: (stage: Stage) => Promise<void>,
    clock?: Clock,
  ): Promise<void> {
    const asked: Question[] = []
    const [authoriser, url] = await started(startAuthoriser(0, (question) => asked.push(question)))
    const [, upstream] = await started(startPlainUpstream(0))
    const options = { url: `${url}/decide`, budgetMs: 5_000, ...own }
    const config = await configOf('external-authoriser', upstream, options)
    await using plane = await PlaneStage.open(config, clock)
    using client = await plane.connect()
    await act({
      asked,
      authoriser,
      ask: (method, tenant, path = '/orders/1') =>
        client.ask(request(method, path, [bearer(tenantToken(tenant))]), method),
    })
  }

  test('admits and refuses as the authoriser says, with its reason', () =>
    staged({}, async ({ ask }) => {
      assert.equal((await ask('GET', 'globex')).text, 'GET /orders/1 done\n')
      assert.equal((await ask('DELETE', 'acme')).status, 200)
      assertProblem(await ask('DELETE', 'globex'), 403, 'policy_refused', 'globex may not delete.')
    }))

  test("asks once for what it may keep, and never takes one caller's answer for another's", () =>
    staged({}, async ({ ask, asked }) => {
      for (let count = 0; count < 3; count++) {
        assert.equal((await ask('DELETE', 'acme')).status, 200)
        assert.equal((await ask('DELETE', 'globex')).status, 403)
      }
      assert.equal(asked.length, 2)
      await ask('DELETE', 'acme', '/orders/2')
      await ask('GET', 'acme')
      assert.equal(asked.length, 4)
    }))

  test('asks again once an answer is too old, or had to give way', async () => {
    let passedMs = 0
    const clock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() + passedMs }
    await staged(
      { maxKept: 2 },
      async ({ ask, asked }) => {
        await ask('GET', 'a')
        passedMs += 5_100
        await ask('GET', 'a')
        assert.equal(asked.length, 2)
        for (const tenant of ['b', 'c', 'a']) await ask('GET', tenant)
        assert.deepEqual(
          asked.map(({ tenant }) => tenant),
          ['a', 'a', 'b', 'c', 'a'],
        )
      },
      clock,
    )
  })

  test('follows its rule when the authoriser is away', async () => {
    await staged({ onFailure: 'closed' }, async ({ ask, authoriser }) => {
      end(authoriser)
      assertProblem(await ask('GET', 'acme'), 503, 'policy_unavailable')
    })
    await staged({ onFailure: 'open' }, async ({ ask, authoriser }) => {
      end(authoriser)
      assert.equal((await ask('GET', 'acme')).status, 200)
    })
  })

  test('waits no longer than its budget', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const [, url] = await started(
      new Promise((ready) => {
        const deaf = createServer((_, response) => void promise.then(() => response.end()))
        deaf.listen(0, '127.0.0.1', () => ready(deaf))
      }),
    )
    await staged({ url, budgetMs: 20 }, async ({ ask }) => {
      assertProblem(await ask('GET', 'acme'), 503, 'policy_unavailable')
    })
    resolve()
  })
})

describe('the options of the examples', () => {
  test('are told what is wrong with them, without the key', async () => {
    using stage = new PolicyStage()
    const { routes } = await configOf('signed-assertion', 'http://127.0.0.1:9', { key: 'hunter2' })
    const { problems } = await loadUserPolicies(routes, stage)
    assert.match(problems[0]?.text ?? '', /key is missing or short; expected at least 32 bytes/)
  })
})
