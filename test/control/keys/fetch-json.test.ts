import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type FetchJson, jsonFetcher } from '../../../src/control/keys/fetch-json.ts'
import { startTimer } from '../../../src/control/start-timer.ts'
import { Authority } from '../../support/certificate.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { Origin, response, type Script } from '../../support/origin.ts'
import { until } from '../../support/until.ts'

const fetchJson = jsonFetcher(startTimer)

function answering(...parts: Parameters<typeof response>): Script {
  return (_, reply) => reply.write(response(...parts))
}

describe('fetching JSON', () => {
  let origin: Origin
  before(async () => {
    origin = await Origin.start()
  })
  after(() => origin[Symbol.asyncDispose]())

  test('gives the object and what Cache-Control says of its age', async () => {
    for (const [cacheControl, maxAgeMs] of [
      [null, null],
      ['public, max-age=300', 300_000],
      ['Max-Age="60"', 60_000],
      ['no-store', null],
      ['s-maxage=5', null],
      ['max-age=-1', null],
    ] as const) {
      const fields = cacheControl === null ? [] : [['Cache-Control', cacheControl] as const]
      origin.script = answering('200 OK', fields, '{"keys":[]}')
      assert.deepEqual(await fetchJson(`${origin.url}/jwks`), { ok: true, value: { keys: [] }, maxAgeMs })
    }
  })

  test('says in a word why nothing came of it, never what came', async () => {
    const rows: readonly (readonly [Script, string])[] = [
      [answering('302 Found', [['Location', `${origin.url}/other`]]), 'status 302'],
      [answering('500 Oops', [], '{"keys":[]}'), 'status 500'],
      [answering('200 OK', [], '<html>secret</html>'), 'no JSON object'],
      [answering('200 OK', [], '[]'), 'no JSON object'],
      [answering('200 OK', [], `{"a":"${'x'.repeat(1 << 20)}"}`), 'larger than 1 MiB'],
      [(_, reply) => reply.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"keys":[]}'), 'ECONNRESET'],
      [(_, reply) => reply.reset(), 'ECONNRESET'],
    ]
    for (const [script, reason] of rows) {
      origin.script = script
      assert.deepEqual(await fetchJson(`${origin.url}/jwks`), { ok: false, reason })
    }
    assert.ok(!origin.seen.some(({ target }) => target === '/other'), 'a redirect is not followed')
  })

  test('gives up on a server that takes too long, before its head and within its body', async () => {
    for (const script of [
      (_, reply) => reply.gone,
      async (_, reply) => {
        await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{')
        await reply.gone
      },
    ] satisfies Script[]) {
      origin.script = script
      const time = new ManualTime()
      const asked = origin.seen.length
      const fetched = jsonFetcher(time.startTimer)(`${origin.url}/jwks`)
      await until('the server to be asked', () => origin.seen.length > asked)
      await time.pass(10_000)
      assert.deepEqual(await fetched, { ok: false, reason: 'took too long' })
      await until('the connection to be given up', () => origin.open === 0)
    }
  })

  test('gives up on a server that is not there', async () => {
    const gone = await Origin.start()
    const { url } = gone
    await gone[Symbol.asyncDispose]()
    assert.deepEqual(await fetchJson(url), { ok: false, reason: 'ECONNREFUSED' })
  })
})

test('an https server is believed with a certificate of a trusted authority, for its name', async () => {
  using authority = new Authority()
  const script = answering('200 OK', [], '{"keys":[]}')
  await using origin = await Origin.start(script, { tls: authority.issue('DNS:localhost') })
  const trusting: FetchJson = jsonFetcher(startTimer, readFileSync(authority.file, 'utf8'))
  const named = `https://localhost:${origin.port}/jwks`
  assert.equal((await trusting(named)).ok, true)
  assert.deepEqual(await trusting(`${origin.url}/jwks`), {
    ok: false,
    reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
  assert.deepEqual(await fetchJson(named), { ok: false, reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
})
