import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Fetched } from '../../../src/control/keys/fetch-json.ts'
import { IssuerKeys } from '../../../src/control/keys/issuer-keys.ts'
import type { RemoteKeySource } from '../../../src/jwt/issuer.ts'
import { remoteKeys } from '../../support/issuer-config.ts'
import { settled } from '../../support/manual-time.ts'
import { MemoryStore, TestWorld } from './key-world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function jwk(kid: string): object {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...publicKey.export({ format: 'jwk' }), kid }
}

const [A, B] = [jwk('a'), jwk('b')]

function good(...keys: readonly object[]): Fetched {
  return { ok: true, value: { keys }, maxAgeMs: null }
}

const FAULT: Fetched = { ok: false, reason: 'ECONNREFUSED' }

class Stage {
  answer: Fetched | Promise<Fetched> = good(A)
  readonly published: string[] = []
  readonly world: TestWorld
  readonly keys: IssuerKeys

  constructor({ source = {} as Partial<RemoteKeySource>, store = null as MemoryStore | null } = {}) {
    this.world = new TestWorld(() => this.answer, store)
    const changed = (jwks: IssuerKeys['jwks']): void => {
      this.published.push(jwks.map(({ kid }) => kid).join())
    }
    this.keys = new IssuerKeys(
      { name: 'idp', algorithms: ['ES256'], source: remoteKeys(source), changed },
      this.world,
    )
  }

  static async open(options: ConstructorParameters<typeof Stage>[0] = {}): Promise<Stage> {
    const stage = new Stage(options)
    await stage.keys.start()
    await settled()
    return stage
  }

  get fetches(): number {
    return this.world.asked.length
  }

  async pass(ms: number): Promise<void> {
    await this.world.time.pass(ms)
  }
}

describe('the keys of a remote issuer', () => {
  test('are fetched at the start and again when the refresh says', async () => {
    const stage = await Stage.open()
    assert.deepEqual(stage.published, ['a'])
    await stage.pass(10 * MINUTE - 1)
    assert.equal(stage.fetches, 1)
    stage.answer = good(A, B)
    await stage.pass(1)
    assert.equal(stage.fetches, 2)
    assert.deepEqual(stage.published, ['a', 'a,b'])
  })

  test('are fetched as soon as their max-age says, between the cooldown and the refresh', async () => {
    for (const [maxAgeMs, dueMs] of [
      [2 * MINUTE, 2 * MINUTE],
      [0, 30_000],
      [24 * HOUR, 10 * MINUTE],
    ] as const) {
      const stage = new Stage()
      stage.answer = { ok: true, value: { keys: [A] }, maxAgeMs }
      await stage.keys.start()
      await settled()
      await stage.pass(dueMs - 1)
      assert.equal(stage.fetches, 1, `${maxAgeMs}`)
      await stage.pass(1)
      assert.equal(stage.fetches, 2, `${maxAgeMs}`)
    }
  })

  test('that did not change are published once, in whatever order they come, and logged once', async () => {
    const stage = new Stage()
    stage.answer = good(A, B)
    await stage.keys.start()
    await settled()
    stage.answer = good(B, A)
    await stage.pass(HOUR)
    assert.ok(stage.fetches > 5)
    assert.deepEqual(stage.published, ['a,b'])
    assert.deepEqual(stage.world.lines, [
      {
        level: 'info',
        event: 'Keys changed',
        issuer: 'idp',
        keys: 2,
        left_out: 0,
        added: 'a b',
        removed: '',
      },
    ])
  })

  test('that are of no use are counted for the operator who misses one', async () => {
    const stage = new Stage()
    stage.answer = good(A, { kty: 'oct', k: 'c2VjcmV0' }, { ...B, alg: 'ES384' })
    await stage.keys.start()
    await settled()
    assert.deepEqual(stage.published, ['a'])
    assert.equal(stage.world.lines[0]?.['left_out'], 2)
  })

  test('serve on while fetching fails, are asked for once a cooldown, and end when they are too old', async () => {
    const stage = await Stage.open()
    stage.answer = FAULT
    await stage.pass(10 * MINUTE)
    assert.equal(stage.fetches, 2)
    await stage.pass(10 * MINUTE)
    assert.equal(stage.fetches, 22, 'every 30 s')
    assert.deepEqual(stage.published, ['a'])
    await stage.pass(24 * HOUR - 20 * MINUTE - 1)
    assert.deepEqual(stage.published, ['a'])
    await stage.pass(1)
    assert.deepEqual(stage.published, ['a', ''])
    assert.deepEqual(stage.world.events, [
      'Keys changed',
      'Keys not fetched',
      'Keys too old to be believed',
      'Keys dropped',
    ])
    stage.answer = good(B)
    await stage.pass(MINUTE)
    assert.deepEqual(stage.published, ['a', '', 'b'])
  })

  test('serve on when the server answers with no set, or with none that is of use', async () => {
    const oct = { kty: 'oct', k: 'c2VjcmV0', kid: 'a' }
    for (const value of [{}, { keys: 'a' }, { keys: [] }, { keys: [oct] }, { keys: Array(101).fill(A) }]) {
      const stage = await Stage.open()
      stage.answer = { ok: true, value, maxAgeMs: null }
      await stage.pass(HOUR)
      assert.deepEqual(stage.published, ['a'], JSON.stringify(value).slice(0, 40))
      assert.equal(stage.world.events.filter((event) => event === 'Keys not fetched').length, 1)
    }
  })
})

test('fetches, failures and changes are counted, with the moment of the last good one', async () => {
  const stage = await Stage.open()
  assert.deepEqual(stage.keys.figures, {
    ...{ keys: 1, fetches: 1, failures: 0, changes: 1, unknownKids: 0 },
    ...{ fetchedAtMs: 0, fault: null, kids: ['a'] },
  })
  stage.answer = FAULT
  await stage.pass(10 * MINUTE)
  stage.answer = good(A, B)
  await stage.pass(MINUTE)
  assert.deepEqual(stage.keys.figures, {
    ...{ keys: 2, fetches: 3, failures: 1, changes: 2, unknownKids: 0 },
    ...{ fetchedAtMs: 10.5 * MINUTE, fault: null, kids: ['a', 'b'] },
  })
})

describe('an unknown kid', () => {
  test('is looked up once, however many ask while it is', async () => {
    const stage = await Stage.open()
    await stage.pass(MINUTE)
    const late = Promise.withResolvers<Fetched>()
    stage.answer = late.promise
    const answers = Promise.all(Array.from({ length: 1_000 }, () => stage.keys.unknownKid('b')))
    await settled()
    assert.equal(stage.fetches, 2)
    late.resolve(good(A, B))
    assert.deepEqual([...new Set(await answers)], [30_000])
    assert.deepEqual(stage.published, ['a', 'a,b'])
    assert.equal(stage.keys.figures.unknownKids, 1_000)
  })

  test('is looked up at most once a cooldown, whatever kids are asked for', async () => {
    const stage = await Stage.open()
    for (let second = 0; second < 300; second++) {
      for (let index = 0; index < 10; index++) void stage.keys.unknownKid(`${second}-${index}`)
      await stage.pass(1_000)
    }
    const { asked } = stage.world
    assert.equal(asked.length, 10, 'one every 30 s, the one at the start among them')
    for (const [index, { atMs }] of asked.entries()) {
      assert.ok(index === 0 || atMs - (asked[index - 1]?.atMs ?? 0) >= 30_000)
    }
  })

  test('says how long asking again is in vain', async () => {
    const stage = await Stage.open()
    await stage.pass(10_000)
    assert.equal(await stage.keys.unknownKid('b'), 20_000)
    assert.equal(stage.fetches, 1)
  })

  test('that control knows already needs no fetch', async () => {
    const stage = await Stage.open()
    await stage.pass(MINUTE)
    assert.equal(await stage.keys.unknownKid('a'), 0)
    assert.equal(stage.fetches, 1)
  })
})

describe('keys on disk', () => {
  async function ran(): Promise<MemoryStore> {
    const store = new MemoryStore()
    const stage = await Stage.open({ store })
    await stage.keys.close()
    return store
  }

  test('serve after a restart while the issuer is down, for what is left of their time', async () => {
    const store = await ran()
    const stage = new Stage({ store })
    stage.answer = FAULT
    stage.world.time.nowMs = HOUR
    await stage.keys.start()
    assert.deepEqual(stage.published, ['a'])
    await stage.pass(23 * HOUR - 1)
    assert.deepEqual(stage.published, ['a'])
    await stage.pass(1)
    assert.deepEqual(stage.published, ['a', ''])
  })

  test('that are too old, from another place, or for algorithms no longer listed do not serve', async () => {
    const store = await ran()
    const old = new Stage({ store })
    old.world.time.nowMs = 24 * HOUR
    const moved = new Stage({ store, source: { url: 'https://other.example.com/jwks' } })
    for (const stage of [old, moved]) {
      stage.answer = FAULT
      await stage.keys.start()
      await settled()
      assert.deepEqual(stage.published, [])
    }
  })

  test('do not hold up those that are fetched, though the disk hangs, and never replace them', async () => {
    const store = await ran()
    const late = Promise.withResolvers<null>()
    const { load } = store
    store.load = async (issuer) => {
      await late.promise
      return load.call(store, issuer)
    }
    const stage = new Stage({ store })
    stage.answer = good(B)
    const restored = stage.keys.start()
    await settled()
    assert.deepEqual(stage.published, ['b'])
    late.resolve(null)
    await restored
    assert.deepEqual(stage.published, ['b'])
  })

  test('do not hold up those that are fetched, though the disk fails', async () => {
    const store = new MemoryStore()
    store.save = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
    const stage = await Stage.open({ store })
    assert.deepEqual(stage.published, ['a'])
    assert.deepEqual(stage.world.events, ['Keys changed', 'Keys not kept on disk'])
  })
})

describe('discovery', () => {
  const issuer = 'https://id.example.com/realm'
  const source = { kind: 'discovery', url: issuer } as const

  function answering(document: object): Stage {
    const stage = new Stage({ source })
    const { asked } = stage.world
    Object.defineProperty(stage, 'answer', {
      get: () =>
        asked.at(-1)?.url.endsWith('/jwks') ? good(A) : { ok: true, value: document, maxAgeMs: null },
    })
    return stage
  }

  test('leads to the keys by way of the issuer document', async () => {
    const stage = answering({ issuer, jwks_uri: 'https://keys.example.com/jwks' })
    await stage.keys.start()
    await settled()
    assert.deepEqual(
      stage.world.asked.map(({ url }) => url),
      [`${issuer}/.well-known/openid-configuration`, 'https://keys.example.com/jwks'],
    )
    assert.deepEqual(stage.published, ['a'])
  })

  // Whoever can write one document of a shared host would otherwise name keys for every issuer there.
  test('leads nowhere if the document is another issuer’s, or the keys are not behind TLS', async () => {
    const jwks_uri = 'https://keys.example.com/jwks'
    for (const [document, reason] of [
      [{ issuer: `${issuer}/`, jwks_uri }, 'discovery: another issuer'],
      [{ jwks_uri }, 'discovery: another issuer'],
      [{ issuer }, 'discovery: no jwks_uri'],
      [{ issuer, jwks_uri: 'http://keys.example.com/jwks' }, 'discovery: jwks_uri is not https'],
      [{ issuer, jwks_uri: 'http://127.0.0.1/jwks' }, 'discovery: jwks_uri is not https'],
      [{ issuer, jwks_uri: 'file:///jwks' }, 'discovery: jwks_uri is not https'],
    ] as const) {
      const stage = answering(document)
      await stage.keys.start()
      await settled()
      assert.equal(stage.fetches, 1, reason)
      assert.equal(stage.world.lines[0]?.['reason'], reason)
      assert.deepEqual(stage.published, [])
    }
  })
})
