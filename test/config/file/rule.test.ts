import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { IssuerConfig } from '../../../src/jwt/issuer.ts'
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

  test('where more is let into an upstream than it has connections', async () => {
    const admission = (max: number): string =>
      GOOD.replace('"http://a"', `"http://a", connections: { max: ${max} }, admission: { concurrency: 16 }`)
    assert.deepEqual(await warningsOf(admission(16)), [])
    assert.deepEqual(await warningsOf(admission(15)), [
      'nyro.yaml:1:81 upstreams.a.admission.concurrency is more than `connections.max`: exchanges between the two are refused, and wait for nothing.',
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
    return (await loadText(text, { files: { 'k.yaml': '' } })).config?.routes[0]?.auth
  }
  const SECRET = `identity: { jwt: [{ secret: ${STRONG_SECRET} }] }`

  test('needs a credential unless it says otherwise, where anything can verify one', async () => {
    assert.equal(await authOf(SECRET, 'upstream: a'), 'required')
    assert.equal(await authOf('identity: { apiKeys: { file: ./k.yaml } }', 'upstream: a'), 'required')
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
  const issuersOf = async (entries: string): Promise<readonly IssuerConfig[]> => {
    const loaded = await loadText(`${GOOD}identity: { jwt: [${entries}] }`, {
      files: { 'k.pem': ISSUER_PEM },
    })
    assert.ok(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
    return loaded.config.identity.issuers
  }

  test('by a key of the operator takes exactly its algorithms', async () => {
    const [one] = await issuersOf(`{ secret: "${'x'.repeat(64)}", algorithms: [HS512], clockSkew: 1500ms }`)
    assert.deepEqual(
      [one?.keys, one?.algorithms, one?.clockSkewS],
      [{ kind: 'secret', secret: 'x'.repeat(64) }, ['HS512'], 2],
    )
    const [other] = await issuersOf('{ publicKey: k.pem, algorithms: [RS256, PS256] }')
    assert.deepEqual([other?.keys, other?.algorithms], [{ kind: 'pem', pem: ISSUER_PEM }, ['RS256', 'PS256']])
  })

  test('asks of each algorithm whether the key fits it', async () => {
    const problems = await problemsOf(
      'identity: { jwt: [{ publicKey: k.pem, algorithms: [RS256, ES256] }] }',
      {
        files: { 'k.pem': ISSUER_PEM },
        checkKey: async (algorithm) => {
          if (algorithm === 'ES256') throw new Error('ES256 needs an EC key')
        },
      },
    )
    assert.equal(problems.length, 1)
    assert.match(
      problems[0] ?? '',
      /^nyro\.yaml:1:32 identity\.jwt\[0\]\.publicKey cannot be used: ES256 needs an EC key;/,
    )
  })

  test('names entries that have no name by their place', async () => {
    const issuers = await issuersOf(
      '{ publicKey: k.pem, algorithms: [RS256] }, { issuer: "https://id.test", algorithms: [RS256] }',
    )
    assert.deepEqual(
      issuers.map(({ name }) => name),
      ['default', 'default-2'],
    )
  })

  test('takes keys over plain http from this machine, and where a host is allowed by name', async () => {
    const issuers = await issuersOf(
      '{ issuer: "http://127.0.0.1:1", algorithms: [RS256] }, ' +
        '{ jwks: "http://idp.test/k", algorithms: [RS256], keys: { plainHosts: [idp.test] } }',
    )
    assert.deepEqual(
      issuers.map(({ keys }) => keys.kind),
      ['discovery', 'jwks'],
    )
  })

  test('of fetched keys that looks at no audience is doubtful', async () => {
    const warnings = await warningsOf(
      `${GOOD}identity: { jwt: [{ issuer: "https://id.test", algorithms: [RS256] }] }`,
    )
    assert.deepEqual(warnings, [
      'nyro.yaml:3:19 identity.jwt[0] has no audience: it takes tokens that were meant for anybody (RFC 8725 section 3.9).',
    ])
  })
})

describe('API keys', () => {
  const HASH = '4f'.repeat(32)
  const load = (file: string, text: string) =>
    loadText(`${GOOD}identity: { apiKeys: { file: ${file} } }`, {
      files: { 'keys.yaml': text, 'keys.json': text },
    })

  test('are read from a file of their own, which counts as part of the config', async () => {
    for (const file of ['./keys.yaml', 'keys.json']) {
      const text = `[{"name": "ci", "tenant": "acme", "hash": "${HASH}", "prefix": "nyro_00000000"}]`
      const loaded = await load(file, text)
      assert.deepEqual(loaded.config?.identity.apiKeys, {
        field: 'X-API-Key',
        entries: [{ name: 'ci', tenant: 'acme', hash: HASH, prefix: 'nyro_00000000' }],
      })
      assert.ok(loaded.files.some((name) => name.endsWith(file.replace('./', '/'))))
    }
  })

  test('on a plan that is not there have the default, which is said', async () => {
    const text = `[{ name: ci, tenant: acme, hash: ${HASH}, prefix: nyro_00000000, plan: prp }]`
    const plans = 'tenant: { defaultPlan: pro, plans: { pro: {} } }\n'
    const file = `${plans}${GOOD}identity: { apiKeys: { file: ./keys.yaml } }`
    const loaded = await loadText(file, { env: {}, files: { 'keys.yaml': text } })
    assert.deepEqual(loaded.warnings, [
      './keys.yaml:1:129 keys[0].plan is no plan of `tenant.plans`: the default holds.',
    ])
    const known = await loadText(file, { env: {}, files: { 'keys.yaml': text.replace('prp', 'pro') } })
    assert.deepEqual(known.warnings, [])
    // Where there are no plans, none is missed.
    assert.deepEqual((await load('./keys.yaml', text)).warnings.length, 1)
  })

  test('may be none yet', async () => {
    assert.deepEqual((await load('./keys.yaml', '# none\n')).config?.identity.apiKeys?.entries, [])
  })

  test('in a file with one wrong line are all refused, and no hash is shown', async () => {
    const good = `- { name: ci, tenant: acme, hash: ${HASH}, prefix: nyro_00000000 }\n`
    const loaded = await load(
      './keys.yaml',
      `${good}- { name: cd, tenant: acme, hash: ${HASH}, prefix: nyro_1 }\n`,
    )
    assert.ok(loaded.config === null)
    assert.deepEqual(loaded.problems, [
      './keys.yaml:2:109 keys[1].prefix is a text of 6 characters; expected the first 13 characters of the key.',
      './keys.yaml:2:35 keys[1].hash is that of keys[0].hash too; expected each key once.',
    ])
  })

  test('in a file that a reference names are called by the key that names it', async () => {
    const text = `${GOOD}identity: { apiKeys: { file: "\${KEYS}" } }`
    const loaded = await loadText(text, {
      env: { KEYS: '/secret-place/keys.yaml' },
      files: { 'keys.yaml': 'x' },
    })
    assert.ok(loaded.config === null)
    assert.deepEqual(loaded.problems, [
      'the file of identity.apiKeys.file:1:1 The file must be a list of keys, each beginning with "- name:".',
    ])
  })
})

describe('a limit', () => {
  const limitOf = async (route: string) => {
    const text = `identity: { jwt: [{ secret: ${STRONG_SECRET} }] }\nupstreams: { a: { endpoints: "http://a" } }\n`
    const loaded = await loadText(`${text}routes: [{ name: a, upstream: a, ${route} }]`)
    assert.ok(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
    return loaded.config.routes[0]?.limit
  }

  test('counts by tenant, and by address where nobody says who they are', async () => {
    assert.equal((await limitOf('limit: { rate: 1/s }'))?.per, 'tenant')
    assert.equal((await limitOf('auth: optional, limit: { rate: 1/s }'))?.per, 'tenant')
    assert.equal((await limitOf('auth: none, limit: { rate: 1/s }'))?.per, 'ip')
  })

  test('has a burst of what its rate allows in a second, rounded up', async () => {
    for (const [rate, burst] of [
      ['10/s', 10],
      ['90/m', 2],
      ['1/h', 1],
      ['86401/day', 2],
    ] as const) {
      assert.equal((await limitOf(`limit: { rate: ${rate} }`))?.rate.burst, burst, rate)
    }
  })
})
