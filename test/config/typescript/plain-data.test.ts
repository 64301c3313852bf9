import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { copyPlain, type ForeignKind } from '../../../src/config/typescript/plain-data.ts'

describe('plain data', () => {
  test('is copied as it is, without members that are undefined', () => {
    const shared = { head: '5s' }
    const value = { a: [1, 'b', true, null, shared], c: { d: shared, e: undefined }, f: Object.create(null) }
    assert.deepEqual(copyPlain(value), {
      value: { a: [1, 'b', true, null, { head: '5s' }], c: { d: { head: '5s' } }, f: {} },
      foreign: [],
    })
  })

  test('has the values of getters, read once', () => {
    let reads = 0
    const value = {
      get port(): number {
        return ++reads
      },
    }
    assert.deepEqual(copyPlain(value).value, { port: 1 })
    assert.equal(reads, 1)
  })

  test('keeps a key called __proto__ a key', () => {
    const { value } = copyPlain(JSON.parse('{ "__proto__": { "polluted": true } }'))
    assert.deepEqual(Object.keys(value as object), ['__proto__']) // copied from an object
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
  })

  for (const [kind, value] of [
    ['function', () => 1],
    ['function', class {}],
    ['symbol', Symbol('x')],
    ['bigint', 1n],
    ['promise', Promise.resolve(1)],
    ['instance', new Date(0)],
    ['instance', new Map()],
    ['instance', /x/],
    ['instance', new URL('http://a')],
    ['instance', new (class Policy {})()],
    ['instance', Object.create({ inherited: 1 })],
  ] satisfies readonly (readonly [ForeignKind, unknown])[]) {
    test(`is no ${kind}: ${String(value).split('\n')[0]}`, () => {
      const copied = copyPlain({ routes: [{ ok: 1 }, { name: value }] })
      assert.deepEqual(copied.foreign, [{ path: ['routes', 1, 'name'], kind }])
      assert.doesNotThrow(() => structuredClone(copied.value))
    })
  }

  test('has no symbols for keys', () => {
    assert.deepEqual(copyPlain({ a: { [Symbol('x')]: 1 } }).foreign, [{ path: ['a'], kind: 'symbol' }])
  })

  test('names every foreign value, not only the first', () => {
    const { foreign } = copyPlain({ a: () => 1, b: [new Date(0), 1n] })
    assert.deepEqual(
      foreign.map(({ path }) => path.join('.')),
      ['a', 'b.0', 'b.1'],
    )
  })

  test('goes in no circles, and to no depth without an end', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = { again: circle }
    assert.deepEqual(copyPlain(circle).foreign, [{ path: ['self', 'again'], kind: 'cycle' }])
    const endless: object = {
      get next() {
        return Object.create(Object.prototype, Object.getOwnPropertyDescriptors(endless))
      },
    }
    const { foreign } = copyPlain(endless)
    assert.deepEqual(
      foreign.map(({ kind }) => kind),
      ['depth'],
    )
  })
})
