import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldNameHash, foldsTo } from '../../src/http1/field-name.ts'

const NAMES = `accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-origin
access-control-request-headers access-control-request-method age allow authorization cache-control connection
content-disposition content-encoding content-language content-length content-location content-range content-type
cookie date etag expect expires forwarded from host if-match if-modified-since if-none-match if-range
if-unmodified-since keep-alive last-modified link location max-forwards origin priority proxy-authenticate
proxy-authorization proxy-connection range referer retry-after sec-websocket-accept sec-websocket-key server
set-cookie strict-transport-security te traceparent tracestate trailer transfer-encoding upgrade user-agent vary via
www-authenticate x-api-key x-company-id x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto
x-process-time x-real-ip x-request-id`.split(/\s+/)

// A client states its own tenant in a spelling that the gateway does not strip but an upstream (CGI, WSGI, PHP) turns
// into the same variable as X-Company-ID.
test('every spelling that folds into a name has the hash of that name and folds to it', () => {
  const spellings = [
    'x-company-id',
    'X-Company-ID',
    'X_COMPANY_ID',
    'x.company.id',
    'X_Company.Id',
    'x-cOMPANY_id',
  ]
  for (const spelling of spellings) {
    assert.equal(fieldNameHash(spelling), fieldNameHash('x-company-id'), spelling)
    assert.ok(foldsTo(spelling, 0, spelling.length, 'x-company-id'), spelling)
  }
})

test('no two names in common use share a hash', () => {
  assert.equal(new Set(NAMES.map(fieldNameHash)).size, NAMES.length)
})

test('a hash is a signed 32-bit number, as an Int32Array gives it back', () => {
  for (const name of NAMES) assert.equal(fieldNameHash(name), fieldNameHash(name) | 0)
})

test('a name folds to itself and to nothing else', () => {
  for (const [text, folded] of [
    ['x-company-idx', 'x-company-id'],
    ['x-company-i', 'x-company-id'],
    ['xcompanyid', 'x-company-id'],
    ['x~company~id', 'x-company-id'],
    ['x company id', 'x-company-id'],
    ['y-company-id', 'x-company-id'],
    ['', 'x-company-id'],
  ] as const) {
    assert.ok(!foldsTo(text, 0, text.length, folded), text)
  }
})

test('folding looks at the part of the text it was given', () => {
  const text = 'GET / HTTP/1.1\r\nX_Company_ID: 7'
  assert.ok(foldsTo(text, 16, 28, 'x-company-id'))
  assert.ok(!foldsTo(text, 16, 29, 'x-company-id'))
  assert.ok(!foldsTo(text, 15, 27, 'x-company-id'))
})
