import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { requestIdOf } from '../../src/proxy/request-id.ts'
import { parsedGet } from './parsed-head.ts'

const NEW = 'a-new-one'

function idOf(...lines: readonly string[]): string {
  return requestIdOf(parsedGet('/', ...lines), () => NEW)
}

describe('a request’s id', () => {
  test('is new where the client gave none', () => {
    assert.equal(idOf(), NEW)
  })

  test('is the client’s where every character is harmless', () => {
    for (const id of ['a', '0', 'A-Z.a_z:09', 'x'.repeat(128)]) assert.equal(idOf(`X-Request-ID: ${id}`), id)
  })

  test('is new where the client’s is empty or too long', () => {
    assert.equal(idOf('X-Request-ID:'), NEW)
    assert.equal(idOf(`X-Request-ID: ${'x'.repeat(129)}`), NEW)
  })

  // The attack: an id goes into log lines, headers and the log searches of people; one that holds quotes or spaces
  // forges fields there.
  test('is new for every character beyond the harmless ones', () => {
    for (let code = 0x21; code < 0x100; code++) {
      const character = String.fromCharCode(code)
      if (code === 0x7f || /[A-Za-z0-9._:-]/.test(character)) continue
      assert.equal(idOf(`X-Request-ID: a${character}b`), NEW, character)
    }
    assert.equal(idOf('X-Request-ID: a b'), NEW)
    assert.equal(idOf('X-Request-ID: a\tb'), NEW)
  })

  test('is the first of several, or new where that one is not harmless', () => {
    assert.equal(idOf('X-Request-ID: first', 'x-request-id: second'), 'first')
    assert.equal(idOf('X-Request-ID: "', 'X-Request-ID: second'), NEW)
  })

  test('is not looked for under another spelling', () => {
    assert.equal(idOf('X_Request_ID: other'), NEW)
  })
})
