import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ROUTE_DEFAULTS, ROUTE_METHODS, UPSTREAM_DEFAULTS } from '../../../src/config/default.ts'
import { jsonSchema } from '../../../src/config/file/json-schema.ts'
import { judgeDocument } from '../../../src/config/file/load.ts'
import type { GatewayConfig } from '../../../src/config/file/schema.ts'
import { accepted } from '../load-with.ts'
import { sourceOf } from './load-text.ts'

const MINIMAL: GatewayConfig = {
  upstreams: { a: { endpoints: 'http://a.test' } },
  routes: [{ name: 'a', upstream: 'a', auth: 'none' }],
}

async function judged(document: unknown): Promise<Awaited<ReturnType<typeof judgeDocument>>> {
  return judgeDocument(
    document,
    { path: '/etc/nyro/nyro.config.ts', files: ['/etc/nyro/nyro.config.ts'] },
    sourceOf({}),
  )
}

describe('the schema', () => {
  test('completes an upstream and a route as every door does', async () => {
    const { config } = await judged(MINIMAL)
    assert.ok(config !== null)
    const [upstream] = config.upstreams
    const [route] = config.routes
    assert.deepEqual(upstream, { ...UPSTREAM_DEFAULTS, name: 'a', endpoints: [{ url: 'http://a.test' }] })
    assert.deepEqual(route, {
      ...ROUTE_DEFAULTS,
      name: 'a',
      match: { hosts: [], path: '/*', methods: ROUTE_METHODS, headers: [], query: [] },
      ending: { kind: 'forward', upstreams: [{ name: 'a', weight: 1 }] },
      auth: 'none',
    })
  })

  test('has the defaults of the environment door for everything both can say', async () => {
    const { config } = await judged(MINIMAL)
    const { config: other } = await accepted({})
    assert.ok(config !== null)
    const { upstreams: _upstreams, routes: _routes, identity: _identity, ...common } = config
    const { upstreams: _others, routes: _ways, identity: _keys, ...commonOfOther } = other
    assert.deepEqual(common, commonOfOther)
  })

  test('types what a TypeScript config says: units, secrets and choices too', () => {
    const good = {
      listen: { port: 8080, timeouts: { head: '10s' } },
      identity: {
        jwt: [
          { secret: '${GATEWAY_JWT_SECRET}' },
          { issuer: 'https://id.test', audience: ['a'], algorithms: ['RS256'], keys: { refresh: '10m' } },
        ],
        apiKeys: { file: './keys.yaml' },
      },
      tenant: { defaultPlan: 'a', plans: { a: { rate: '10/s', quota: '10000/day', concurrency: 5 } } },
      upstreams: {
        a: { endpoints: ['http://a', '${A_URL}'], retry: { budget: '20%', on: ['connect', 503] } },
      },
      routes: [
        {
          name: 'a',
          upstream: { a: 1 },
          body: { max: '1.5KiB' },
          limit: { rate: '5/m' },
          require: { scopes: ['a:b'], claims: { role: ['admin', 'editor'], verified: true, level: 5 } },
          credentials: ['header', 'cookie:session', 'query:token', 'subprotocol'],
          shadow: ['limit', 'require', 'admission', 'policies'],
        },
      ],
    } as const
    // The assignment is the test: the compiler is asked, not the runtime.
    const typed: Readonly<Record<string, unknown>> = good satisfies GatewayConfig
    assert.ok(Object.keys(typed).length > 0)
    const bad: readonly GatewayConfig[] = [
      // @ts-expect-error a unit nobody knows
      { listen: { timeouts: { head: '5 parsecs' } } },
      // @ts-expect-error a number without a unit
      { listen: { timeouts: { head: 5 } } },
      // @ts-expect-error a secret that is written out
      { identity: { jwt: [{ secret: 'hunter2' }] } },
      // @ts-expect-error a key nobody knows
      { listn: {} },
      // @ts-expect-error a choice nobody has
      { routes: [{ name: 'a', auth: 'maybe' }] },
      // @ts-expect-error a route without its name
      { routes: [{ upstream: 'a' }] },
      // @ts-expect-error another scheme
      { upstreams: { a: { endpoints: 'ftp://a' } } },
      // @ts-expect-error a quota of a window that is none
      { tenant: { plans: { a: { quota: '10/s' } } } },
      // @ts-expect-error a place where no credential is looked for
      { routes: [{ name: 'a', credentials: ['body'] }] },
      // @ts-expect-error what cannot be shadowed
      { routes: [{ name: 'a', shadow: ['identity'] }] },
    ]
    assert.equal(bad.length, 10)
  })
})

describe('a document without a text of its own', () => {
  test('is judged alike, its problems named by path alone', async () => {
    const loaded = await judged({
      ...MINIMAL,
      listen: { port: 'x' },
      docs: undefined,
      routes: [{ name: 1n }],
    })
    assert.ok(loaded.config === null)
    assert.deepEqual(loaded.problems.slice(0, 1), [
      '/etc/nyro/nyro.config.ts listen.port is "x"; expected a port from 0 to 65535 (0 takes a free one). Correct it.',
    ])
    assert.deepEqual(loaded.files, ['/etc/nyro/nyro.config.ts'])
  })
})

describe('JSON Schema of the configuration', () => {
  test('is the same each time, has a description for every key and nothing of our own in it', () => {
    const text = JSON.stringify(jsonSchema())
    assert.equal(text, JSON.stringify(jsonSchema()))
    assert.deepEqual(undescribed(JSON.parse(text), ''), [])
    for (const keyword of ['accepts', 'unset']) assert.ok(!text.includes(`"${keyword}":`), keyword)
  })

  test('refuses unknown keys and takes a reference where a value of any kind stands', () => {
    const schema = JSON.parse(JSON.stringify(jsonSchema())) as {
      readonly additionalProperties: unknown
      readonly properties: Readonly<
        Record<string, { readonly properties: Readonly<Record<string, unknown>> }>
      >
    }
    assert.equal(schema.additionalProperties, false)
    assert.deepEqual(schema.properties['listen']?.properties['port'], {
      default: 8080,
      description: 'Port of the public listener; 0 takes a free one. `GATEWAY_PORT` wins.',
      anyOf: [
        { type: 'integer', minimum: 0, maximum: 65_535 },
        { type: 'string', pattern: '\\$\\{' },
      ],
    })
  })
})

interface Described {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Described>>
  readonly items?: Described
  readonly additionalProperties?: Described | boolean
  readonly anyOf?: readonly Described[]
}

function undescribed(node: Described, path: string): readonly string[] {
  return [
    ...Object.entries(node.properties ?? {}).flatMap(([key, member]) => [
      ...(member.description === undefined || member.description === '' ? [`${path}.${key}`] : []),
      ...undescribed(member, `${path}.${key}`),
    ]),
    ...(node.items === undefined ? [] : undescribed(node.items, `${path}[]`)),
    ...(typeof node.additionalProperties === 'object'
      ? undescribed(node.additionalProperties, `${path}.*`)
      : []),
    ...(node.anyOf ?? []).flatMap((branch) => undescribed(branch, path)),
  ]
}
