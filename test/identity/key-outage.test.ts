import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { jsonFetcher } from '../../src/control/keys/fetch-json.ts'
import { KeyKeeper } from '../../src/control/keys/key-keeper.ts'
import { folderKeyStore } from '../../src/control/keys/key-store.ts'
import type { IssuerConfig } from '../../src/jwt/issuer.ts'
import { KeyRequests } from '../../src/jwt/key-request.ts'
import { compileIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'
import { issuerConfig, remoteKeys } from '../support/issuer-config.ts'
import { LocalIssuer } from '../support/local-issuer.ts'
import { ManualTime } from '../support/manual-time.ts'
import { FAR_S } from '../support/token.ts'
import { until, within } from '../support/until.ts'

const NOW_MS = 1_800_000_000_000
const COOLDOWN_MS = 30_000

/** Control and data threads around one provider: real sockets and files, time of the test's own. */
class Stage {
  readonly time = new ManualTime()
  readonly keeper: KeyKeeper
  readonly threads: readonly Thread[]
  readonly events: string[] = []
  readonly #config: IssuerConfig

  constructor(config: IssuerConfig, folder: string, threads = 1) {
    this.time.nowMs = NOW_MS
    this.threads = Array.from({ length: threads }, () => new Thread(config, this))
    const world = {
      fetchJson: jsonFetcher(this.time.startTimer),
      store: folderKeyStore(folder),
      clock: this.time,
      startTimer: this.time.startTimer,
      random: () => 0,
      log: { log: (_: string, event: string) => void this.events.push(event) },
    }
    this.#config = config
    this.keeper = new KeyKeeper(world, (message) => {
      for (const { verifier } of this.threads) verifier.publish(message)
    })
  }

  /** Until the first fetch has come to an end. */
  async open(): Promise<this> {
    await this.start()
    await until('the first fetch to end', () => this.#ended > 0 || this.events.includes('Keys not fetched'))
    return this
  }

  start(): Promise<void> {
    return this.keeper.replace([this.#config])
  }

  get #ended(): number {
    return this.events.filter((event) => event === 'Keys changed').length
  }
}

class Thread {
  readonly verifier: TokenVerifier
  questions = 0

  constructor(config: IssuerConfig, stage: Stage) {
    const keyRequests: KeyRequests = new KeyRequests({
      nowMs: () => stage.time.nowMs,
      startTimer: stage.time.startTimer,
      send: (message) => {
        this.questions++
        void stage.keeper.unknownKid(message).then((answer) => keyRequests.answered(answer))
      },
    })
    this.verifier = new TokenVerifier({
      issuers: [compileIssuer(config)],
      nowS: () => stage.time.nowMs / 1_000,
      keyRequests,
    })
  }

  async code(token: string): Promise<string> {
    const outcome = await within('a token to be judged', Promise.resolve(this.verifier.verify(token)))
    return outcome.ok ? 'verified' : outcome.code
  }
}

describe('with keys that an identity provider publishes', () => {
  let provider: LocalIssuer
  let folder: string

  beforeEach(async () => {
    provider = await LocalIssuer.start()
    folder = mkdtempSync(join(tmpdir(), 'nyro-outage-'))
  })
  afterEach(async () => {
    await provider[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  function config(own: Partial<IssuerConfig> = {}): IssuerConfig {
    const keys = remoteKeys({ kind: 'discovery', url: provider.url })
    return issuerConfig({ issuer: provider.url, algorithms: ['ES256'], keys, ...own })
  }

  test('a token is verified by a key found by discovery', async () => {
    const stage = await new Stage(config(), folder).open()
    const [thread] = stage.threads as [Thread]
    assert.equal(await thread.code(provider.token()), 'verified')
    assert.equal(provider.fetches, 1)
    await stage.keeper.close()
  })

  test('a key that came meanwhile is fetched while the request waits, and every thread has it', async () => {
    const stage = await new Stage(config(), folder, 2).open()
    const [one, other] = stage.threads as [Thread, Thread]
    const before = provider.token()
    provider.rotate()
    await stage.time.pass(COOLDOWN_MS)
    assert.equal(await one.code(provider.token()), 'verified')
    assert.equal(await other.code(provider.token()), 'verified')
    assert.equal(await one.code(before), 'verified', 'the old key is still published')
    assert.equal(provider.fetches, 2)
    assert.equal(other.questions, 0)
    await stage.keeper.close()
  })

  test('a key that is published no more ends what it verified', async () => {
    const stage = await new Stage(config(), folder).open()
    const [thread] = stage.threads as [Thread]
    const leaked = provider.token()
    assert.equal(await thread.code(leaked), 'verified')
    provider.rotate()
    const survivor = provider.token()
    provider.pairs = provider.pairs.slice(1)
    await stage.time.pass(COOLDOWN_MS)
    assert.equal(await thread.code(survivor), 'verified')
    assert.equal(await thread.code(leaked), 'token_invalid')
    await stage.keeper.close()
  })

  for (const manner of ['down', 'garbage', 'empty', 'redirect'] as const)
    test(`known tokens are believed while the provider is ${manner}, until their keys are too old`, async () => {
      const keys = remoteKeys({ url: provider.jwksUrl, maxStaleMs: 3_600_000 })
      const stage = await new Stage(config({ keys }), folder).open()
      const [thread] = stage.threads as [Thread]
      provider.manner = manner
      const cold = provider.token({ sub: 'never seen before' })
      await stage.time.pass(600_000)
      await until('a fetch to fail', () => stage.events.includes('Keys not fetched'))
      assert.equal(await thread.code(cold), 'verified')
      await stage.time.pass(3_000_000)
      assert.equal(await thread.code(cold), 'token_invalid')
      assert.equal(await thread.code(provider.token()), 'token_invalid')
      await stage.keeper.close()
    })

  test('a provider that never answers holds up an unknown kid for two seconds, a known one not at all', async () => {
    const stage = await new Stage(config(), folder).open()
    const [thread] = stage.threads as [Thread]
    const known = provider.token()
    provider.manner = 'silent'
    await stage.time.pass(COOLDOWN_MS)
    const asked = provider.origin.seen.length
    const unknown = thread.code(provider.token({}, { kid: 'unknown' }))
    await until('the provider to be asked', () => provider.origin.seen.length > asked)
    assert.equal(await thread.code(known), 'verified')
    await stage.time.pass(2_000)
    assert.equal(await unknown, 'token_invalid')
    await stage.keeper.close()
  })

  // Each unknown kid that led to a fetch would let anybody make the gateway flood the provider.
  test('a thousand unknown kids a second are refused, with one fetch a cooldown', async () => {
    const stage = await new Stage(config(), folder, 2).open()
    const known = provider.token()
    const stranger = await LocalIssuer.start()
    try {
      for (let second = 0; second < 32; second++) {
        const codes = new Set<string>()
        const forged = stranger.token({ iss: provider.url }, { kid: `kid-${second}` })
        for (const thread of stage.threads) {
          for (let index = 0; index < 500; index++)
            codes.add(await thread.code(`${forged.slice(0, -3)}${index % 9}AA`))
          assert.equal(await thread.code(known), 'verified')
        }
        assert.deepEqual([...codes], ['token_invalid'])
        await stage.time.pass(1_000)
      }
      assert.equal(provider.fetches, 2, 'at the start and after 30 s')
      for (const { questions } of stage.threads)
        assert.ok(questions <= 2, `${questions} questions to control`)
    } finally {
      await stranger[Symbol.asyncDispose]()
      await stage.keeper.close()
    }
  })

  test('a restart while the provider is down believes the keys that were kept on disk', async () => {
    const first = await new Stage(config(), folder).open()
    const token = provider.token({ exp: FAR_S })
    assert.equal(await (first.threads as [Thread])[0].code(token), 'verified')
    const saved = (): Promise<unknown> => folderKeyStore(folder).load('idp')
    await until('the keys to be on disk', saved)
    await first.keeper.close()

    provider.manner = 'down'
    const second = new Stage(config(), folder)
    second.time.nowMs = NOW_MS + 3_600_000
    await second.start()
    assert.ok(second.events.includes('Keys restored'))
    assert.ok(!second.events.includes('Keys changed'))
    assert.equal(await (second.threads as [Thread])[0].code(token), 'verified')
    await second.keeper.close()
  })

  test('a reload fetches nothing where nothing changed, and forgets an issuer that is gone', async () => {
    const stage = await new Stage(config(), folder).open()
    const [thread] = stage.threads as [Thread]
    for (let round = 0; round < 100; round++) await stage.start()
    assert.equal(provider.origin.seen.length, 2, 'the document and the keys, once')
    await stage.keeper.replace([])
    assert.deepEqual(stage.keeper.known(), [])
    await stage.time.pass(86_400_000)
    assert.equal(provider.origin.seen.length, 2)
    assert.equal(await thread.code(provider.token({}, { kid: 'unknown' })), 'token_invalid')
    await stage.keeper.close()
  })

  test('before the first keys a token waits for them', async () => {
    const stage = new Stage(config(), folder)
    const starting = stage.start()
    const judged = (stage.threads as [Thread])[0].code(provider.token())
    await starting
    assert.equal(await judged, 'verified')
    assert.equal(provider.fetches, 1)
    await stage.keeper.close()
  })
})
