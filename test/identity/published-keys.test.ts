import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import type { RemoteKeySource } from '../../src/jwt/issuer.ts'
import { IdentityStage, type StageOptions } from '../support/identity-stage.ts'
import { issuerConfig, remoteKeys } from '../support/issuer-config.ts'
import { LocalIssuer } from '../support/local-issuer.ts'
import { type RawClient, request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'

/** As short as tests can wait for. */
const COOLDOWN_MS = 400

async function provider(t: TestContext): Promise<LocalIssuer> {
  const issuer = await LocalIssuer.start()
  t.after(() => issuer[Symbol.asyncDispose]())
  return issuer
}

function identityOf(issuer: LocalIssuer, own: Partial<RemoteKeySource> = {}): Pick<Config, 'identity'> {
  const keys = remoteKeys({ kind: 'discovery', url: issuer.url, cooldownMs: COOLDOWN_MS, ...own })
  return {
    identity: {
      issuers: [
        issuerConfig({ name: 'own' }),
        issuerConfig({ issuer: issuer.url, algorithms: ['ES256'], keys }),
      ],
      apiKeys: null,
    },
  }
}

async function open(
  t: TestContext,
  issuer: LocalIssuer,
  own: Partial<RemoteKeySource> = {},
  options: StageOptions = {},
): Promise<IdentityStage> {
  return IdentityStage.open(t, () => identityOf(issuer, own), options)
}

interface KeyPage {
  readonly issuers: readonly {
    readonly issuer: string
    readonly kids: readonly string[]
    readonly fetches: number
    readonly fault: string | null
    readonly ageS: number | null
  }[]
}

async function keyPage(stage: IdentityStage): Promise<KeyPage['issuers'][number]> {
  const { body } = await stage.admin('GET', '/keys')
  const [issuer] = (body as KeyPage).issuers // one remote issuer is configured
  assert.ok(issuer !== undefined)
  return issuer
}

describe('keys that an identity provider publishes', () => {
  for (const [way, own] of [
    ['discovery', (_: LocalIssuer) => ({})],
    ['a JWKS URL', (issuer: LocalIssuer) => ({ kind: 'jwks' as const, url: issuer.jwksUrl })],
  ] as const)
    test(`are found by ${way}, and a new one by the first token that names it`, async (t) => {
      const issuer = await provider(t)
      const stage = await open(t, issuer, own(issuer))
      const before = issuer.token()
      assert.equal(await stage.verdict('/orders/1', [bearer(before)]), '200')
      assert.equal(await stage.verdict('/orders/1', [bearer(tenantToken('acme'))]), '200')
      issuer.rotate()
      const after = issuer.token()
      await until('the new key to be believed', async () => {
        return (await stage.verdict('/orders/1', [bearer(after)])) === '200'
      })
      for (let count = 0; count < 8; count++)
        assert.equal(await stage.verdict('/orders/1', [bearer(after)]), '200', 'by every thread')
      assert.equal(await stage.verdict('/orders/1', [bearer(before)]), '200')
      const { kids, fault, ageS } = await keyPage(stage)
      assert.deepEqual([kids, fault], [['kid-1', 'kid-2'], null])
      assert.ok(ageS !== null && ageS < 60)
      assert.equal(stage.count('Keys changed'), 2, 'a line a change')
    })

  test('that are withdrawn end what they verified', async (t) => {
    const issuer = await provider(t)
    const stage = await open(t, issuer)
    const leaked = issuer.token()
    assert.equal(await stage.verdict('/orders/1', [bearer(leaked)]), '200')
    issuer.rotate()
    issuer.pairs = issuer.pairs.slice(1)
    await until(
      'the new key',
      async () => (await stage.verdict('/orders/1', [bearer(issuer.token())])) === '200',
    )
    for (let count = 0; count < 8; count++)
      assert.equal(await stage.verdict('/orders/1', [bearer(leaked)]), '401 token_invalid')
  })

  test('that cannot be had hold up neither readiness nor anybody else', async (t) => {
    const issuer = await provider(t)
    issuer.manner = 'down'
    const stage = await open(t, issuer)
    assert.equal((await stage.admin('GET', '/ready')).status, 200)
    assert.equal(await stage.verdict('/orders/1', [bearer(tenantToken('acme'))]), '200')
    assert.equal(await stage.verdict('/orders/1', [bearer(issuer.token())]), '401 token_invalid')
    await stage.event('Keys not fetched')
    assert.notEqual((await keyPage(stage)).fault, null)
    issuer.manner = 'well'
    await until(
      'the keys to come',
      async () => (await stage.verdict('/orders/1', [bearer(issuer.token())])) === '200',
    )
    assert.equal(stage.count('Keys not fetched'), 1, 'once, however often it failed')
  })

  // The attack: every kid that nobody knows asks the provider, until it locks the gateway out or falls over.
  test('are fetched once a cooldown at most, for a thousand unknown kids a second and with the provider down', async (t) => {
    const issuer = await provider(t)
    const stage = await open(t, issuer)
    const known = issuer.token()
    assert.equal(await stage.verdict('/orders/1', [bearer(known)]), '200')
    const fetches = issuer.origin.seen.length
    const startMs = performance.now()
    issuer.manner = 'down'
    const clients = await Promise.all(Array.from({ length: 8 }, () => stage.connect()))
    const flood = async (client: RawClient, index: number): Promise<void> => {
      for (let count = 0; count < 250; count++) {
        const forged = issuer.token({}, { kid: `unknown-${index}-${count}` })
        const refused = await client.ask(request('GET', '/orders/1', [bearer(forged)]))
        assert.equal(refused.status, 401)
        if (count % 25 > 0) continue
        assert.equal((await client.ask(request('GET', '/orders/1', [bearer(known)]))).status, 200)
      }
    }
    await Promise.all(clients.map(flood))
    for (const client of clients) client.leave()
    const most = 1 + Math.ceil((performance.now() - startMs) / COOLDOWN_MS)
    const asked = issuer.origin.seen.length - fetches
    assert.ok(asked <= most, `${asked} fetches, ${most} allowed`)
  })

  test('outlast a restart on disk while the provider is gone', async (t) => {
    const stateDir = mkdtempSync(join(tmpdir(), 'nyro-state-'))
    t.after(() => rmSync(stateDir, { recursive: true, force: true }))
    const issuer = await provider(t)
    const known = issuer.token()
    const first = await open(t, issuer, {}, { stateDir })
    assert.equal(await first.verdict('/orders/1', [bearer(known)]), '200')
    await until('the keys to be on disk', () => readdirSync(stateDir).some((name) => name.endsWith('.json')))
    await first.stop()
    issuer.manner = 'down'
    const second = await open(t, issuer, {}, { stateDir })
    await second.event('Keys restored')
    await until('them to serve', async () => (await second.verdict('/orders/1', [bearer(known)])) === '200')
    assert.equal((await keyPage(second)).ageS === null, false)
  })

  test('are of the new place from the very reload on that names one', async (t) => {
    const [issuer, other] = [await provider(t), await provider(t)]
    const stage = await open(t, issuer, { kind: 'jwks', url: issuer.jwksUrl })
    const old = issuer.token()
    assert.equal(await stage.verdict('/orders/1', [bearer(old)]), '200')
    await stage.reload(identityOf(issuer, { kind: 'jwks', url: other.jwksUrl }))
    // The same iss, the same kid: only the key is another.
    assert.equal(await stage.verdict('/orders/1', [bearer(old)]), '401 token_invalid')
    const now = other.token({ iss: issuer.url })
    await until('the new keys', async () => (await stage.verdict('/orders/1', [bearer(now)])) === '200')
    await stage.reload({ identity: { issuers: [issuerConfig({ name: 'own' })], apiKeys: null } })
    assert.equal(await stage.verdict('/orders/1', [bearer(now)]), '401 token_invalid')
    assert.deepEqual((await stage.admin('GET', '/keys')).body, { issuers: [] })
  })

  test('are warned of, once, where nothing is kept across restarts', async (t) => {
    const issuer = await provider(t)
    // Reserved for what is nowhere (RFC 2606): only an issuer that is another machine can be gone alone.
    const stage = await open(t, issuer, { kind: 'jwks', url: 'https://id.invalid/jwks' })
    await stage.reload({ name: 'again' })
    const warnings = stage.lines.filter(({ event }) => event?.includes('GATEWAY_STATE_DIR'))
    assert.equal(warnings.length, 1)
  })

  test('let the operator listener explain a token as the threads would', async (t) => {
    const issuer = await provider(t)
    const stage = await open(t, issuer)
    assert.equal(await stage.verdict('/orders/1', [bearer(issuer.token())]), '200')
    const asked = { method: 'GET', url: '/orders/1', token: issuer.token() }
    const { status, body } = await stage.admin('POST', '/explain', asked)
    assert.equal(status, 200)
    const { identity } = body as { readonly identity: { readonly tenant: string } | null }
    assert.equal(identity?.tenant, 'acme')
  })
})
