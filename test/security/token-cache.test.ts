import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { assertProblem } from '../support/problem.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { bearer, CLAIMS, tenantToken, token } from '../support/token.ts'

// The attack: verified tokens are remembered, so anything that makes a bad token look like one that was verified
// before, or keeps a good one alive too long, passes without its signature being looked at.

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(() => stage[Symbol.asyncDispose]())

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

async function statusOf(jwt: string): Promise<number> {
  return (await stage.ask('GET', '/api/v1/ingest/x', [bearer(jwt)])).status
}

describe('a remembered token', { concurrency: true }, () => {
  test('is refused from the second its exp is reached', async () => {
    const exp = Math.ceil(Date.now() / 1000) + 2
    const bytes = request('GET', '/api/v1/ingest/x', [bearer(token({ ...CLAIMS, exp }))])
    using client = await RawClient.connect(stage.port)
    let accepted = 0
    for (;;) {
      const sentMs = Date.now()
      const got = await client.ask(bytes)
      if (sentMs >= exp * 1000) {
        assertProblem(got, 401, 'token_expired')
        break
      }
      if (Date.now() < exp * 1000) assert.equal(got.status, 200)
      accepted += 1
      await pause(20)
    }
    assert.ok(accepted > 1, 'it was remembered before')
  })

  // 256 bits are 43 characters and 2 bits: four last characters decode to the same signature.
  test('does not vouch for another spelling of itself', async () => {
    const good = tenantToken('spelling')
    const last = ALPHABET.indexOf(good.at(-1) ?? '')
    for (let round = 0; round < 2; round++) {
      assert.equal(await statusOf(good), 200)
      for (let bits = 1; bits < 4; bits++)
        assert.equal(await statusOf(good.slice(0, -1) + ALPHABET[last ^ bits]), 401)
      for (const other of [
        `${good}=`,
        `${good} `.trimEnd().concat('.'),
        `${good}A`,
        good.slice(0, -1),
        good.toLowerCase(),
      ])
        assert.equal(await statusOf(other), 401, other)
    }
    assert.equal(await statusOf(good), 200)
  })

  test('does not vouch for other claims under its signature, nor its claims under another', async () => {
    const [head, mine, signature] = tenantToken('mine').split('.')
    const [, theirs, theirSignature] = tenantToken('theirs').split('.')
    for (let round = 0; round < 2; round++) {
      assert.equal(await statusOf(`${head}.${mine}.${signature}`), 200)
      assert.equal(await statusOf(`${head}.${theirs}.${theirSignature}`), 200)
      assert.equal(await statusOf(`${head}.${theirs}.${signature}`), 401)
      assert.equal(await statusOf(`${head}.${mine}.${theirSignature}`), 401)
    }
  })

  test('keeps its own tenant, whoever was before or after on any connection', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => stage.connect()))
    const tenants = Array.from({ length: 50 }, (_, index) => `tenant-${index}`)
    await Promise.all(
      clients.map(async (client, shift) => {
        for (let round = 0; round < 100; round++) {
          const tenant = tenants[(round * 7 + shift * 13) % tenants.length] ?? ''
          const target = `/api/v1/query/${shift}-${round}-${tenant}`
          assert.equal((await client.ask(request('GET', target, [bearer(tenantToken(tenant))]))).status, 200)
        }
        client.leave()
      }),
    )
    assert.equal(stage.query.seen.length, 400)
    for (const seen of stage.query.seen)
      assert.ok(seen.target.endsWith(`-${seen.get('x-company-id')}`), seen.target)
  })

  test('is never a refused one', async () => {
    const bad = token(CLAIMS, { key: 'not-the-secret-not-the-secret-not-the-secret' })
    for (let round = 0; round < 5; round++) assert.equal(await statusOf(bad), 401)
    assert.equal(await statusOf(token({ ...CLAIMS, jti: 'fresh' })), 200)
    assert.equal(await statusOf(bad), 401)
  })
})
