import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cookieValues, withoutCookie } from '../../src/identity/cookie.ts'
import { fieldsWithoutCredentials, targetWithoutCredentials } from '../../src/identity/credential-removal.ts'
import { type CredentialSource, parseCredentialSource } from '../../src/identity/credential-source.ts'
import { queryValues, withoutQuery } from '../../src/identity/query-parameter.ts'
import { subprotocolCredentials, withoutCredentials } from '../../src/identity/subprotocol.ts'

test('the places of credentials are read as the operator writes them', () => {
  assert.deepEqual(
    ['header', 'cookie:session', 'query:access_token', 'subprotocol'].map(parseCredentialSource),
    [
      { kind: 'header' },
      { kind: 'cookie', name: 'session' },
      { kind: 'query', name: 'access_token' },
      { kind: 'subprotocol' },
    ],
  )
  for (const text of ['', 'cookie', 'cookie:', 'query:a b', 'query:a=b', 'query:%61', 'header:x', 'body:x'])
    assert.equal(parseCredentialSource(text), null, text)
})

describe('a cookie', () => {
  const rows: readonly (readonly [string, readonly string[], string])[] = [
    ['session=a.b.c', ['a.b.c'], ''],
    ['a=1; session=x; b=2', ['x'], 'a=1; b=2'],
    ['session=x; a=1', ['x'], 'a=1'],
    ['a=1;session=x', ['x'], 'a=1'],
    ['a=1; session=x;', ['x'], 'a=1;'],
    ['session=x; session=y', ['x', 'y'], ''],
    [' session = x ; a=1', ['x'], 'a=1'],
    ['session=', [''], ''],
    ['session=a=b', ['a=b'], ''],
    ['Session=x; xsession=y; session2=z', [], 'Session=x; xsession=y; session2=z'],
    ['a=session=x', [], 'a=session=x'],
    ['session', [], 'session'],
    ['', [], ''],
  ]
  for (const [field, values, rest] of rows)
    test(`is found in and cut out of ${JSON.stringify(field)}`, () => {
      assert.deepEqual(cookieValues(field, 'session'), values)
      assert.equal(withoutCookie(field, 'session'), rest)
      assert.deepEqual(cookieValues(withoutCookie(field, 'session'), 'session'), [])
    })
})

describe('a query parameter', () => {
  const rows: readonly (readonly [string, readonly string[], string])[] = [
    ['/a?token=x', ['x'], '/a'],
    ['/a?b=1&token=x&c=2', ['x'], '/a?b=1&c=2'],
    ['/a?token=x&c=%20+', ['x'], '/a?c=%20+'],
    ['/a?token=x&token=y', ['x', 'y'], '/a'],
    ['/a?token', [''], '/a'],
    ['/a?token=a=b?c', ['a=b?c'], '/a'],
    // What an upstream would read as the name carries the credential on as well as the name does.
    ['/a?%74oken=x', ['x'], '/a'],
    ['/a?to%6Ben=x&b', ['x'], '/a?b'],
    ['/a?Token=x&xtoken=y&token2=z&a=token', [], '/a?Token=x&xtoken=y&token2=z&a=token'],
    ['/a?b=token=x', [], '/a?b=token=x'],
    ['/token=x', [], '/token=x'],
    ['/a?', [], '/a?'],
    ['/a?&&b=1', [], '/a?&&b=1'],
    ['/a?%zz&token=x&%', ['x'], '/a?%zz&%'],
    ['http://gw.test?token=x', ['x'], 'http://gw.test'],
  ]
  for (const [target, values, rest] of rows)
    test(`is found in and cut out of ${target}`, () => {
      assert.deepEqual(queryValues(target, 'token'), values)
      assert.equal(withoutQuery(target, 'token'), rest)
      assert.deepEqual(queryValues(withoutQuery(target, 'token'), 'token'), [])
    })
})

describe('a WebSocket subprotocol', () => {
  const rows: readonly (readonly [string, readonly string[], string])[] = [
    ['nyro.bearer.a.b.c', ['a.b.c'], ''],
    ['chat, nyro.bearer.x', ['x'], 'chat'],
    ['nyro.bearer.x,chat, v2', ['x'], 'chat, v2'],
    ['nyro.bearer.x, nyro.bearer.y', ['x', 'y'], ''],
    ['chat,v2', [], 'chat,v2'],
    ['NYRO.bearer.x, nyro.bearer', [], 'NYRO.bearer.x, nyro.bearer'],
  ]
  for (const [field, values, rest] of rows)
    test(`is found in and cut out of ${field}`, () => {
      assert.deepEqual(subprotocolCredentials(field), values)
      assert.equal(withoutCredentials(field), rest)
    })
})

describe('what an upstream sees', () => {
  const sources = ['header', 'cookie:session', 'query:token', 'query:key', 'subprotocol'].map(
    parseCredentialSource,
  ) as CredentialSource[]

  test('is a target without any parameter that could be a credential', () => {
    assert.equal(targetWithoutCredentials('/a?x=1&token=t&key=k&y=%32', sources), '/a?x=1&y=%32')
    assert.equal(targetWithoutCredentials('/a?x=1', sources), '/a?x=1')
  })

  test('are fields without cookies and protocols that could be, the others byte for byte', () => {
    const lines = [
      'Accept: */*',
      'COOKIE: a=1; session=secret; b=2',
      'cookie: session=secret',
      'X-Cookie: session=mine',
      'Sec-WebSocket-Protocol: nyro.bearer.secret, chat',
      'sec-websocket-protocol: nyro.bearer.secret',
      'Cookie: c=3;  d=4',
      'Empty: ',
    ]
    const rest = fieldsWithoutCredentials(lines.map((line) => `${line}\r\n`).join(''), sources)
    assert.deepEqual(rest.split('\r\n'), [
      ...['Accept: */*', 'COOKIE: a=1; b=2', 'X-Cookie: session=mine', 'Sec-WebSocket-Protocol: chat'],
      ...['Cookie: c=3;  d=4', 'Empty: ', ''],
    ])
    assert.ok(!rest.includes('secret'))
  })

  test('are all fields as they are where the route takes credentials from headers and queries only', () => {
    const lines = 'Cookie: session=x\r\nSec-WebSocket-Protocol: nyro.bearer.x\r\n'
    const only: readonly CredentialSource[] = [{ kind: 'header' }, { kind: 'query', name: 'token' }]
    assert.equal(fieldsWithoutCredentials(lines, only), lines)
    assert.equal(fieldsWithoutCredentials('', sources), '')
  })
})
