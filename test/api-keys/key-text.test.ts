import assert from 'node:assert/strict'
import { createHash, randomFillSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { ApiKeySet } from '../../src/api-keys/api-key-set.ts'
import { apiKeyHash, createApiKey, isApiKeyText, shownPrefix } from '../../src/api-keys/key-text.ts'
import { identityOf } from '../support/identity.ts'

describe('an API key', () => {
  test('is written so that scanners know it, and different each time', () => {
    const keys = Array.from({ length: 200 }, () => createApiKey(randomFillSync))
    for (const key of keys) {
      assert.match(key, /^nyro_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/)
      assert.ok(isApiKeyText(key))
    }
    assert.equal(new Set(keys).size, keys.length)
  })

  // Bytes taken modulo 62 would make eight of the characters a quarter more likely than the others.
  test('uses its alphabet evenly: bytes of the last, incomplete round are drawn again', () => {
    const draws = [255, 248, 247, 0]
    const random = (bytes: Buffer): unknown => bytes.fill(draws.shift() ?? 0)
    assert.equal(createApiKey(random).slice(5, 37), 'z'.repeat(32))
    assert.deepEqual(draws, [0])
  })

  test('with one character changed, moved or missing is none', () => {
    const key = createApiKey(randomFillSync)
    for (let index = 0; index < key.length; index++) {
      const other = key[index] === 'x' ? 'y' : 'x'
      assert.equal(isApiKeyText(key.slice(0, index) + other + key.slice(index + 1)), false, `${index}`)
      assert.equal(isApiKeyText(key.slice(0, index) + key.slice(index + 1)), false, `${index}`)
    }
    for (const text of ['', 'nyro_', ` ${key}`, `${key}\n`, key.toUpperCase(), `${key}${key}`])
      assert.equal(isApiKeyText(text), false)
  })

  test('shows no more of itself than names it', () => {
    const key = createApiKey(randomFillSync)
    assert.equal(shownPrefix(key).length, 13)
    assert.ok(key.startsWith(shownPrefix(key)))
  })

  test('is found by its digest, and only by the whole of it', () => {
    const [key, other] = [createApiKey(randomFillSync), createApiKey(randomFillSync)]
    assert.equal(apiKeyHash(key), createHash('sha256').update(key).digest('hex'))
    const identity = identityOf()
    const keys = new ApiKeySet(new Map([[apiKeyHash(key), identity]]))
    assert.equal(keys.find(key), identity)
    for (const text of [other, shownPrefix(key), apiKeyHash(key), '']) assert.equal(keys.find(text), null)
  })
})
