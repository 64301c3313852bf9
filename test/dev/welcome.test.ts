import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type WelcomeFacts, welcome } from '../../src/dev/welcome.ts'

const FACTS: WelcomeFacts = {
  name: 'Nyro API Gateway',
  publicUrl: 'http://127.0.0.1:8080',
  adminUrl: 'http://127.0.0.1:9901',
  ingestPath: '/api/v1/ingest',
  queryPath: '/api/v1/query',
  authPath: '/api/auth',
  demos: new Set(['ingest', 'query', 'auth']),
  token: 'h.p.s',
  hasOwnSecret: false,
  isExposed: false,
  issuerUrl: 'http://127.0.0.1:9903',
  issuerToken: 'i.s.s',
}

function commandsOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('curl '))
}

describe('the welcome of dev', () => {
  test('has one line to paste for each demo, with the token where one is needed', () => {
    const commands = commandsOf(welcome(FACTS))
    assert.equal(commands.length, 7)
    const [ingest = '', search = '', stream = '', login = '', oidc = '', token = '', rotate = ''] = commands
    assert.match(ingest, /^curl -sS 'http:\/\/127\.0\.0\.1:8080\/api\/v1\/ingest\/documents' .*--data-binary/)
    assert.match(search, /^curl -sS '.*\/api\/v1\/query\/search\?q=report'/)
    assert.match(stream, /^curl -sSN '.*\/api\/v1\/query\/stream\?q=report'/)
    for (const command of [ingest, search, stream])
      assert.ok(command.includes("-H 'Authorization: Bearer h.p.s'"))
    assert.match(login, /^curl -sS '.*\/api\/auth\/login' /)
    assert.doesNotMatch(login, /Authorization/)
    assert.match(oidc, /^curl -sS '.*\/query\/search\?q=report' -H 'Authorization: Bearer i\.s\.s'$/)
    assert.equal(token, "curl -sS 'http://127.0.0.1:9903/token' -d 'tenant=acme&sub=demo-user'")
    assert.equal(rotate, "curl -sS -X POST 'http://127.0.0.1:9903/rotate'")
  })

  test('is plain ASCII and names the API pages and the operator listener', () => {
    const text = welcome(FACTS)
    assert.match(text, /^[\x20-\x7e\n]+$/)
    for (const url of ['8080/docs', '8080/redoc', 'http://127.0.0.1:9901']) assert.ok(text.includes(url), url)
  })

  test('promises no path of a service that is not a demo', () => {
    const text = welcome({ ...FACTS, demos: new Set(['ingest']) })
    assert.doesNotMatch(text, /search|stream|login'/)
    assert.match(text, /your own for query, auth/)
    assert.ok(
      commandsOf(text).some((command) => command.startsWith("curl -sS 'http://127.0.0.1:8080/api/v1/query'")),
    )
  })

  test('says so when it has no token to give', () => {
    assert.match(welcome({ ...FACTS, token: null }), /put in one of your issuer/)
  })

  test('says whose secret signed the tokens', () => {
    assert.match(welcome(FACTS), /a secret that ends with this process/)
    assert.match(welcome({ ...FACTS, hasOwnSecret: true }), /your GATEWAY_JWT_SECRET/)
  })

  // A login without password is fine on one's own machine; on a network it hands out any tenant's token.
  test('warns when other machines can reach it', () => {
    assert.doesNotMatch(welcome(FACTS), /WARNING/)
    assert.match(welcome({ ...FACTS, isExposed: true }), /WARNING: other machines/)
  })

  test('quotes a path for the shell, whatever it holds', () => {
    const [ingest = ''] = commandsOf(welcome({ ...FACTS, ingestPath: "/it's;$x" }))
    assert.ok(ingest.startsWith("curl -sS 'http://127.0.0.1:8080/it'\\''s;$x/documents' "))
  })
})
