import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pooledFill } from '../../src/lib/random-pool.ts'

test('a pooled source gives every byte of its source once, in their order, whatever is asked for', () => {
  let count = 0
  let calls = 0
  const fill = pooledFill((bytes) => {
    calls++
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(count++, at)
  })
  assert.equal(calls, 0)
  const pieces = [4, 2_048, 12, 0, 40_000, 2_048].map((size) => {
    const piece = Buffer.alloc(size)
    fill(piece)
    return piece
  })
  const all = Buffer.concat(pieces)
  for (let at = 0; at < all.length; at += 4) assert.equal(all.readUInt32BE(at), at / 4)
  assert.equal(calls, 3)
})
