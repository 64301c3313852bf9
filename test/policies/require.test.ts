import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RequireConfig } from '../../src/config/demand.ts'
import { requirePolicy } from '../../src/policies/require.ts'
import type { Identity } from '../../src/proxy/exchange.ts'
import type { Failure } from '../../src/proxy/failure.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { identityOf } from '../support/identity.ts'

function judged(config: Partial<RequireConfig>, identity: Identity | null): Failure | null {
  const exchange = exchangeOf()
  exchange.identity = identity
  const verdict = requirePolicy({ scopes: [], claims: {}, ...config }).admit(exchange)
  assert.ok(!(verdict instanceof Promise) && verdict?.kind !== 'answer')
  return verdict
}

describe('a route that requires scopes', () => {
  const scopes = ['ingest:write', 'ingest:read']

  test('takes whoever has all of them', () => {
    assert.equal(judged({ scopes }, identityOf({ scopes: new Set([...scopes, 'more']) })), null)
  })

  test('names those that are missing and never those that are there', () => {
    const refused = judged({ scopes }, identityOf({ scopes: new Set(['ingest:read', 'secret:scope']) }))
    assert.deepEqual(
      [refused?.status, refused?.code, refused?.detail, refused?.fields],
      [
        403,
        'scope_missing',
        'Missing scope: ingest:write',
        'WWW-Authenticate: Bearer error="insufficient_scope", scope="ingest:write ingest:read"\r\n',
      ],
    )
    assert.ok(!JSON.stringify(refused).includes('secret:scope'))
    assert.equal(judged({ scopes }, identityOf())?.detail, 'Missing scope: ingest:write, ingest:read')
  })

  test('does not take a scope that only begins alike', () => {
    assert.equal(judged({ scopes }, identityOf({ scopes: new Set(['ingest']) }))?.code, 'scope_missing')
  })
})

describe('a route that requires claims', () => {
  const claims = { role: ['admin', 'editor'], level: [3] }

  test('takes any value listed, alone or among others', () => {
    for (const role of [['admin'], ['viewer', 'editor']]) {
      const given = new Map<string, readonly (string | number)[]>([
        ['role', role],
        ['level', [3]],
      ])
      assert.equal(judged({ claims }, identityOf({ claims: given })), null)
    }
  })

  test('refuses other values, other types and none, and does not say what was there', () => {
    for (const given of [
      new Map(),
      new Map<string, readonly (string | number)[]>([
        ['role', ['viewer-secret']],
        ['level', [3]],
      ]),
      new Map<string, readonly (string | number)[]>([
        ['role', ['admin']],
        ['level', ['3']],
      ]),
    ]) {
      const refused = judged({ claims }, identityOf({ claims: given }))
      assert.deepEqual([refused?.status, refused?.code], [403, 'claim_mismatch'])
      assert.ok(!JSON.stringify(refused).includes('viewer-secret'))
    }
  })
})

test('nobody is asked who they are before what they may do', () => {
  assert.equal(judged({ scopes: ['a'] }, null)?.code, 'token_missing')
})
