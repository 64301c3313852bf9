import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optionalIdentity } from '../../src/policies/optional-identity.ts'
import { type FailureCode, failure } from '../../src/proxy/failure.ts'
import type { Policy } from '../../src/proxy/policy.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'

/** The code of what is said instead of this refusal. */
async function said(code: FailureCode | null, when: 'at once' | 'later'): Promise<string | null> {
  const verdict = code === null ? null : failure(code)
  const asked: Policy = {
    kind: 'jwt',
    owns: ['x-a'],
    admit: () => (when === 'later' ? Promise.resolve(verdict) : verdict),
  }
  const policy = optionalIdentity(asked)
  assert.deepEqual(policy.owns, ['x-a'])
  const outcome = await policy.admit(exchangeOf())
  return outcome?.kind === 'failure' ? outcome.code : null
}

test('where identity is optional, only the want of a credential is forgiven', async () => {
  for (const when of ['at once', 'later'] as const) {
    assert.equal(await said('token_missing', when), null)
    assert.equal(await said(null, when), null)
    for (const code of [
      'token_invalid',
      'token_expired',
      'authorization_repeated',
      'tenant_invalid',
    ] as const)
      assert.equal(await said(code, when), code)
  }
})
