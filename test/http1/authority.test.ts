import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAuthority } from '../../src/http1/authority.ts'

// The bytes around it are as in a head: what follows the authority must not be read into it.
function check(text: string): boolean {
  const bytes = Buffer.from(`::${text}]:80`, 'latin1')
  return isAuthority(bytes, 2, 2 + text.length)
}

const AUTHORITIES = {
  'a reg-name': ['a', 'api.example.com', 'a_b-c~d', 'xn--bcher-kva.example', "!$&'()*+,;=", 'a%2Db', '%41'],
  'an IPv4 address': ['127.0.0.1', '1.2.3.4', '255.255.255.255'],
  'an IPv6 address in brackets': [
    '[::]',
    '[::1]',
    '[1::]',
    '[1:2:3:4:5:6:7:8]',
    '[2001:DB8::ff00:42:8329]',
    '[::ffff:192.0.2.1]',
    '[1:2:3:4:5:6:1.2.3.4]',
    '[1::7:8]',
    '[1:2:3:4:5:6:7::]',
    '[::2:3:4:5:6:7:8]',
  ],
  'with a port': ['a:80', 'a:0', 'a:65535', '[::1]:8080', '1.2.3.4:443', 'a:'],
}

const OTHERS = {
  nothing: [''],
  'userinfo, which would move the host': ['u@a', 'u:p@a', 'a@', '@'],
  'a path, query or fragment': ['a/b', 'a?b', 'a#b', 'http://a'],
  'what no reg-name holds': [
    'a b',
    'a\tb',
    'a\\b',
    'a"b',
    'a<b',
    '{',
    '}',
    '|',
    '^',
    '`',
    '\x06',
    '\x7f',
    '\xff',
    'a\x00',
  ],
  'half a percent-encoding': ['a%', 'a%4', 'a%4g', '%zz', '%%41'],
  'a port that is none': [
    'a:b',
    'a:+1',
    'a:-1',
    'a:65536',
    'a:99999',
    'a:000080',
    'a:8 0',
    'a:80:80',
    '::1',
    ':80',
    ':',
  ],
  'brackets that hold no IPv6 address': [
    '[',
    ']',
    '[]',
    '[::1',
    '::1]',
    '[::1]]',
    '[[::1]]',
    '[::1]a',
    '[::1]a:80',
    '[:]',
    '[:::]',
    '[1:::2]',
    '[1::2::3]',
    '[:1::]',
    '[1::2:]',
    '[1:]',
    '[1]',
    '[12345::]',
    '[g::]',
    '[1:2:3:4:5:6:7]',
    '[1:2:3:4:5:6:7:8:9]',
    '[1:2:3:4::5:6:7:8]',
    '[1:2:3:4:5:6:7:1.2.3.4]',
    '[::1.2.3]',
    '[::1.2x3.4]',
    '[::1.2.3x4]',
    '[::1.2.3.]',
    '[::1..3.4]',
    '[::1.2.3.4.5]',
    '[::256.2.3.4]',
    '[::01.2.3.4]',
    '[::1.2.3.4:5]',
    '[1.2.3.4]',
    '[::1%25en0]',
    '[::1%en0]',
    '[v1.a]',
    '[a.example]',
  ],
}

for (const [what, texts] of Object.entries(AUTHORITIES)) {
  test(`takes ${what} for an authority`, () => {
    for (const text of texts) assert.ok(check(text), text)
  })
}

for (const [what, texts] of Object.entries(OTHERS)) {
  test(`takes ${what} for no authority`, () => {
    for (const text of texts) assert.ok(!check(text), JSON.stringify(text))
  })
}
