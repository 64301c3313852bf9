import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyHash } from '../../src/limits/key-hash.ts'

const COUNT = 100_000

function hashes(hash: KeyHash, salt: number, texts: readonly string[]): readonly bigint[] {
  return texts.map((text) => {
    hash.hash(salt, 0, text)
    return (BigInt(hash.first) << 32n) | BigInt(hash.second >>> 0)
  })
}

const tenants = Array.from({ length: COUNT }, (_, index) => `tenant-${index}`)

test('texts that resemble each other spread evenly, and none share a number', () => {
  const numbers = hashes(new KeyHash(1, 2), 3, tenants)
  assert.equal(new Set(numbers).size, COUNT)
  for (const shift of [0n, 22n, 32n, 54n]) {
    const sets = new Uint32Array(1_024)
    for (const number of numbers) {
      const set = Number((number >> shift) & 1_023n)
      sets[set] = (sets[set] ?? 0) + 1
    }
    const mean = COUNT / sets.length
    let spread = 0
    for (const count of sets) spread += (count - mean) ** 2 / mean
    // Chi-squared with 1,023 degrees of freedom: 5 standard deviations are 226.
    assert.ok(spread > 797 && spread < 1_249, `shift ${shift}: ${spread}`)
  }
})

test('a bit of the text changes half the bits of both numbers', () => {
  const hash = new KeyHash(1, 2)
  let changed = 0
  for (let index = 0; index < 1_000; index++) {
    const [one = 0n, other = 0n] = hashes(hash, 3, [`a${index}`, `b${index}`])
    for (let rest = BigInt.asUintN(64, one ^ other); rest > 0n; rest >>= 1n) changed += Number(rest & 1n)
  }
  assert.ok(Math.abs(changed / 1_000 - 32) < 1, String(changed / 1_000))
})

test('lengths, salts and keys count, and code units beyond a byte', () => {
  const one = hashes(new KeyHash(1, 2), 3, ['', 'a', 'a\0', 'a\0\0', 'š', 'a\u{1f600}', 'aa'])
  const salted = hashes(new KeyHash(1, 2), 4, ['', 'a'])
  const keyed = hashes(new KeyHash(1, 3), 3, ['', 'a'])
  const all = [...one, ...salted, ...keyed]
  assert.equal(new Set(all).size, all.length)
})

// The attack: texts that meet under one key are worth nothing if they meet under no other.
test('texts that meet in a set under one key do not under another', () => {
  const setOf = (number: bigint): bigint => (number >> 32n) & 1_023n
  const [one, other] = [hashes(new KeyHash(1, 2), 0, tenants), hashes(new KeyHash(5, 6), 0, tenants)]
  const met = tenants.map((_, index) => index).filter((index) => setOf(one[index] ?? 0n) === 7n)
  const groups = [...Map.groupBy(met, (index) => setOf(other[index] ?? 0n)).values()]
  const most = Math.max(...groups.map(({ length }) => length))
  assert.ok(met.length > 50 && most <= 5, `${met.length} met, ${most} meet again`)
})
