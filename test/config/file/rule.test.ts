import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ownKeyOf } from '../../support/config-part.ts'
import { STRONG_SECRET } from '../load-with.ts'
import { ISSUER_PEM, loadText, problemsOf } from './load-text.ts'

const ROUTE = 'routes: [{ name: a, upstream: a, auth: none }]\n'
const GOOD = `upstreams: { a: { endpoints: "http://a" } }\n${ROUTE}`

async function warningsOf(text: string): Promise<readonly string[]> {
  const loaded = await loadText(text, { env: {} })
  assert.ok(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
  return loaded.warnings
}

describe('limits', () => {
  const upstreams = (count: number, endpoints: number): string => {
    const urls = Array.from({ length: endpoints }, (_, index) => `"http://h${index}"`).join(', ')
    const names = ['a', ...Array.from({ length: count - 1 }, (_, index) => `u${index}`)]
    return `upstreams:\n${names.map((name) => `  ${name}: { endpoints: [${urls}] }\n`).join('')}${ROUTE}`
  }

  test('are 1024 upstreams', async () => {
    assert.equal((await warningsOf(upstreams(1_024, 1))).length, 1_023)
    assert.deepEqual(await problemsOf(upstreams(1_025, 1)), [
      'nyro.yaml:1:1 upstreams holds 1025 upstreams; expected at most 1024 upstreams. Remove some, or run several gateways.',
    ])
  })

  test('are 4096 endpoints over all of them', async () => {
    assert.equal((await warningsOf(upstreams(4, 1_024))).length, 3)
    assert.deepEqual(await problemsOf(upstreams(5, 820)), [
      'nyro.yaml:1:1 upstreams holds 4100 endpoints; expected at most 4096 endpoints. Remove some, or run several gateways.',
    ])
  })
})

describe('a doubtful configuration is taken with a warning', () => {
  test('where no route uses an upstream', async () => {
    const text = GOOD.replace('a: {', 'spare: { endpoints: "http://s" }, a: {')
    assert.deepEqual(await warningsOf(text), ['nyro.yaml:1:14 upstreams.spare is used by no route.'])
  })

  test('where everybody is a trusted proxy', async () => {
    assert.deepEqual(await warningsOf(`${GOOD}trustedProxies: [10.0.0.0/8, "::/0"]`), [
      'nyro.yaml:3:30 trustedProxies[1] ends in /0: it believes the forwarding fields of anyone.',
    ])
  })

  test('where a probe waits longer than for the next one', async () => {
    const text = GOOD.replace('"http://a"', '"http://a", health: { path: /, interval: 1s, timeout: 2s }')
    assert.deepEqual(await warningsOf(text), [
      'nyro.yaml:1:42 upstreams.a.health waits longer for a probe (`timeout`) than for the next one (`interval`).',
    ])
  })

  test('where a secret is short and said to be wanted so', async () => {
    const [warning] = await warningsOf(`${GOOD}identity: { jwt: [{ secret: short, allowWeakSecret: true }] }`)
    assert.match(
      warning ?? '',
      /^nyro\.yaml:3:21 identity\.jwt\[0\]\.secret is shorter than the 32 bytes HS256 needs/,
    )
  })
})

describe('a route', () => {
  const authOf = async (identity: string, route: string): Promise<string | undefined> => {
    const text = `${identity}\nupstreams: { a: { endpoints: "http://a" } }\nroutes: [{ name: a, ${route} }]`
    return (await loadText(text)).config?.routes[0]?.auth
  }
  const SECRET = `identity: { jwt: [{ secret: ${STRONG_SECRET} }] }`

  test('needs a credential unless it says otherwise, where anything can verify one', async () => {
    assert.equal(await authOf(SECRET, 'upstream: a'), 'required')
    assert.equal(await authOf('identity: { apiKeys: { file: ./k } }', 'upstream: a'), 'required')
    assert.equal(await authOf(SECRET, 'upstream: a, auth: none'), 'none')
    assert.equal(await authOf('', 'upstream: a'), 'none')
  })

  test('that redirects needs none unless it says so', async () => {
    assert.equal(await authOf(SECRET, 'redirect: { path: /b }'), 'none')
    assert.equal(await authOf(SECRET, 'redirect: { path: /b }, auth: required'), 'required')
  })
})

describe('everything wrong', () => {
  test('is said once: what a reference could not give is not judged as well', async () => {
    const text = [
      'upstreams: { a: { endpoints: ["${NONE}"], tls: { ca: "${NONE}" } } }',
      'routes: [{ name: a, upstream: a, auth: none, headers: { request: { set: { X-A: "${NONE}" } } } }]',
      'identity: { jwt: [{ secret: "${NONE}" }] }',
      'workers: "${NONE}"',
    ].join('\n')
    const paths = (await problemsOf(text)).map((problem) => problem.split(' ')[1])
    assert.deepEqual(paths, [
      'upstreams.a.endpoints[0]',
      'upstreams.a.tls.ca',
      'routes[0].headers.request.set.X-A',
      'identity.jwt[0].secret',
      'workers',
    ])
  })

  test('is said together: of the parts that are good, also what they have to do with each other', async () => {
    const text = [
      'listen: { port: x }',
      'upstreams: { a: { endpoints: "http://a", connections: { max: 1, idle: 2 } }, b: 5 }',
      'routes:',
      '  - { name: a, upstream: c, auth: none }',
      '  - { name: b, upstream: b, auth: sometimes }',
    ].join('\n')
    const paths = (await problemsOf(text)).map((problem) => problem.split(' ')[1])
    assert.deepEqual(paths, [
      'listen.port',
      'upstreams.a.connections',
      'upstreams.b',
      'routes[0].upstream',
      'routes[1].auth',
    ])
  })

  test('has nothing of an upstream that only a bad route uses', async () => {
    const loaded = await loadText(GOOD.replace('auth: none', 'auth: sometimes'), { env: {} })
    assert.deepEqual(loaded.warnings, [])
  })
})

describe('identity', () => {
  const jwt = async (entries: string): Promise<unknown> => {
    const loaded = await loadText(`${GOOD}identity: { jwt: [${entries}] }`, {
      files: { 'k.pem': ISSUER_PEM },
    })
    assert.ok(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
    const [issuer] = loaded.config.identity.issuers
    return [
      [ownKeyOf(loaded.config), issuer?.algorithms[0], issuer?.clockSkewS],
      loaded.pending.map((line) => line.split(' ')[1]),
    ]
  }

  test('is one key with one algorithm', async () => {
    assert.deepEqual(await jwt(`{ secret: "${'x'.repeat(64)}", algorithms: [HS512], clockSkew: 1500ms }`), [
      ['x'.repeat(64), 'HS512', 2],
      [],
    ])
    assert.deepEqual(await jwt('{ publicKey: k.pem, algorithms: [EdDSA] }'), [[ISSUER_PEM, 'EdDSA', 0], []])
  })

  test('of several sources or found keys is named as not yet honoured', async () => {
    const [key, pending] = (await jwt(
      `{ jwks: "https://id/keys", algorithms: [RS256] }, { publicKey: k.pem, algorithms: [ES256, RS256], audience: a }`,
    )) as readonly [unknown, readonly string[]]
    assert.deepEqual(key, [ISSUER_PEM, 'ES256', 0])
    assert.deepEqual(pending, [
      'identity.jwt[0].jwks',
      'identity.jwt[1]',
      'identity.jwt[1].algorithms',
      'identity.jwt[1].audience',
    ])
  })
})
