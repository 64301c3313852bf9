import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { apiKeyHash, createApiKey, shownPrefix } from '../../src/api-keys/key-text.ts'
import { parseApiKeys } from '../../src/api-keys/parse-api-keys.ts'

const KEY = createApiKey(randomFillSync)
const GOOD = { name: 'ci', tenant: 'acme', hash: apiKeyHash(KEY), prefix: shownPrefix(KEY) }

function problemsOf(...entries: readonly unknown[]): readonly string[] {
  return (parseApiKeys(entries).problems ?? []).map(({ text }) => text)
}

describe('a file of API keys', () => {
  test('says of each key who it is', () => {
    const { keys } = parseApiKeys([
      { ...GOOD, scopes: ['ingest:write', 'query:read'], plan: 'pro', expires: '2030-01-31T12:00:00+01:00' },
    ])
    assert.deepEqual(keys?.find(KEY), {
      subject: 'ci',
      tenant: 'acme',
      expiresAtS: Date.UTC(2030, 0, 31, 11) / 1_000,
      plan: 'pro',
      scopes: new Set(['ingest:write', 'query:read']),
      claims: new Map(),
      issuer: 'api-key',
      jti: shownPrefix(KEY),
    })
  })

  test('needs no more than name, tenant, hash and prefix', () => {
    const identity = parseApiKeys([GOOD]).keys?.find(KEY)
    assert.deepEqual(
      [identity?.subject, identity?.plan, identity?.scopes.size, identity?.expiresAtS],
      ['ci', null, 0, Number.POSITIVE_INFINITY],
    )
    assert.equal(parseApiKeys([{ ...GOOD, subject: 'robot' }]).keys?.find(KEY)?.subject, 'robot')
  })

  test('may be empty', () => {
    for (const data of [null, undefined, []]) assert.equal(parseApiKeys(data).keys?.size, 0)
  })

  test('that is no list is refused', () => {
    for (const data of ['x', 5, {}, { keys: [] }]) {
      assert.deepEqual(parseApiKeys(data), {
        keys: null,
        problems: [
          {
            entry: null,
            member: null,
            text: 'The file must be a list of keys, each beginning with "- name:".',
          },
        ],
      })
    }
  })

  test('is refused with everything that is wrong in it, each by its place', () => {
    const other = createApiKey(randomFillSync)
    assert.deepEqual(
      problemsOf(
        GOOD,
        { ...GOOD, hash: apiKeyHash(other), prefix: shownPrefix(other) },
        {
          name: 'x',
          tenant: 5,
          hash: KEY,
          prefix: KEY,
          scope: 'a',
          expires: 'soon',
          scopes: 'a b',
          plan: '',
        },
        'text',
      ),
      [
        'keys[1].name is that of keys[0].name too; expected each key once.',
        'keys[2].scope is unknown; expected one of name, tenant, hash, prefix, scopes, plan, expires, subject.',
        'keys[2].hash is a text of 44 characters; expected the SHA-256 of the key in 64 lower-case hex digits.',
        'keys[2].prefix is a text of 44 characters; expected the first 13 characters of the key.',
        'keys[2].tenant is a number; expected a text of 1 to 256 visible ASCII characters, single spaces inside; put a number in quotes.',
        'keys[2].plan is empty; expected a text of 1 to 256 characters.',
        'keys[2].scopes is no list of scopes; expected a list of words such as "ingest:write".',
        'keys[2].expires is no moment; expected a day or a time such as 2030-01-31 or 2030-01-31T12:00:00Z.',
        'keys[3] is no key; expected an entry with name, tenant, hash and prefix.',
      ],
    )
  })

  test('that lists one key twice is refused: nobody could tell whose it is', () => {
    assert.deepEqual(problemsOf(GOOD, { ...GOOD, name: 'other', tenant: 'umbrella' }), [
      'keys[1].hash is that of keys[0].hash too; expected each key once.',
      'keys[1].prefix is that of keys[0].prefix too; expected each key once.',
    ])
  })

  // The likeliest mistake: the key itself where its hash belongs.
  test('never has a key or a hash repeated in what is said of it', () => {
    const wrong = {
      ...GOOD,
      hash: KEY,
      prefix: KEY,
      tenant: [KEY],
      expires: KEY,
      scopes: [`${KEY} `],
      plan: '',
    }
    const text = [...problemsOf(wrong), ...problemsOf(GOOD, GOOD)].join('\n')
    assert.ok(text.length > 100)
    for (const secret of [KEY, KEY.slice(5, 37), GOOD.hash]) assert.ok(!text.includes(secret))
  })

  test('refuses days that are none, and tenants no field could state', () => {
    for (const expires of ['2030-13-01', '2030-01-01T25:00:00Z', '01.02.2030', '2030', 5, true])
      assert.equal(problemsOf({ ...GOOD, expires }).length, 1, String(expires))
    for (const tenant of ['', 'a  b', ' a', 'ñ', 'a\r\nX: y', 'x'.repeat(257), null])
      assert.equal(problemsOf({ ...GOOD, tenant }).length, 1, String(tenant))
  })
})
