import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64url } from '../../src/jwt/base64url.ts'

test('decodes what is written canonically', () => {
  for (const text of ['', 'f', 'fo', 'foo', 'foob', '\u0000\u00ff\u00fb\u00ef']) {
    const bytes = Buffer.from(text, 'latin1')
    assert.deepEqual(decodeBase64url(bytes.toString('base64url')), bytes)
  }
})

// Two spellings that decode alike make two tokens of one: a cache, a revocation list or a log sees them as different.
test('refuses every other spelling of the same bytes', () => {
  const spellings = {
    padding: 'Zg==',
    'half a padding': 'Zg=',
    'a space before': ' Zg',
    'a space within': 'Z g',
    'a newline after': 'Zg\n',
    'a foreign character': 'Zg?',
    'a NUL': 'Z\u0000g',
    'unused bits set, two of eight': 'Zh',
    'unused bits set, two of four': 'Zm9',
    'a lone character': 'Zm9vY',
    'the standard alphabet, plus': '-_+_',
    'the standard alphabet, slash': '-_-/',
    'a character whose low byte is in the alphabet': 'Z\u0167',
    'a character beyond the alphabet': 'Z\u00fcg',
  }
  for (const [what, segment] of Object.entries(spellings)) {
    assert.equal(decodeBase64url(segment), null, what)
  }
})
