import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyExchange } from 'nyro-gateway'
import { policy, readOptions } from './sign-assertion.ts'

test('signs the tenant for a minute', async () => {
  const parts = { nowMs: () => 0, wallMs: () => 1_000_000, log: () => {} }
  const options = readOptions({
    key: 'a key of at least thirty-two bytes',
    issuer: 'i',
    audience: 'a',
    ttlS: 60,
  })
  const signer = await policy.create(options, parts)
  const stated = new Map<string, string>()
  const exchange: Partial<PolicyExchange> = {
    identity: {
      subject: 's',
      tenant: 'acme',
      expiresAtS: 9_999,
      plan: null,
      scopes: new Set(),
      claims: new Map(),
      issuer: 'default',
      jti: null,
    },
    assert: (name, value) => void stated.set(name, value),
  }
  // What the policy does not look at may be missing.
  assert.equal(await signer.admit(exchange as PolicyExchange), null)
  const [, payload = ''] = stated.get('X-Identity-Assertion')?.split('.') ?? []
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  assert.deepEqual([claims.tenant, claims.iat, claims.exp], ['acme', 1_000, 1_060])
})
