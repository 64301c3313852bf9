import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import type { Seen } from '../support/origin.ts'
import { chunked, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'

// The attack: upstreams believe X-Company-ID, so a client of tenant "acme" sends one of its own, in every form some
// upstream stack might read as that field: another case, `_` or `.` for `-` (CGI and WSGI fold them), twice, joined by
// commas, as a trailer, or nominated in Connection so that the gateway's own copy is taken away again.

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(() => stage[Symbol.asyncDispose]())

/** As the most generous upstream folds a field name: letters and digits, anything else a dash. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/** The tenant of `seen` by any reading is this one and no other. */
async function assertTenant(seen: Seen, tenants: readonly string[]): Promise<void> {
  const read = (fields: readonly Field[]) =>
    fields.filter(([name]) => folded(name) === 'x-company-id').map(([, value]) => value)
  assert.deepEqual(read(seen.fields), tenants, seen.text)
  assert.deepEqual(read((await seen.body).trailers), [])
  const text = seen.text + JSON.stringify((await seen.body).trailers)
  assert.ok(!text.includes('evil'), text)
}

const SPELLINGS = [
  'X-Company-ID',
  'x-company-id',
  'X-COMPANY-ID',
  'X_Company_ID',
  'x_company-id',
  'X-Company_ID',
  'X.Company.ID',
  'x.company_id',
  'X-Company.Id',
]

const FORMS: readonly (readonly Field[])[] = [
  ...SPELLINGS.map((name): readonly Field[] => [[name, 'evil']]),
  SPELLINGS.map((name): Field => [name, 'evil']),
  [['X-Company-ID', 'acme, evil']],
  [['X-Company-ID', 'evil,acme']],
  [['X-Company-ID', '']],
  [
    ['X-Company-ID', 'evil'],
    ['X-Company-ID', ''],
  ],
  [
    ['X-Company-ID', 'evil'],
    ['Connection', 'X-Company-ID'],
  ],
  [
    ['Connection', 'close, x-company-id'],
    ['X-Company-ID', 'evil'],
  ],
  [
    ['Connection', 'x_company_id, X.Company.ID'],
    ['X_Company_ID', 'evil'],
  ],
  [
    ['Connection', 'X-Company-ID'],
    ['Connection', 'X-Company-ID'],
  ],
]

describe('the tenant an upstream reads', () => {
  test('is the verified one, whatever the client claims', async () => {
    for (const form of FORMS)
      for (const fields of [
        [ACME, ...form],
        [...form, ACME],
      ]) {
        const got = await stage.ask('GET', '/api/v1/ingest/x', fields)
        assert.equal(got.status, 200, got.text)
        await assertTenant(stage.ingest.last, ['acme'])
      }
  })

  test('is nobody on a route without identity', async () => {
    for (const form of FORMS)
      for (const fields of [form, [ACME, ...form]]) {
        assert.equal((await stage.ask('POST', '/api/auth/login', fields, 'x')).status, 200)
        await assertTenant(stage.auth.last, [])
      }
  })

  test('is not taken from a trailer', async () => {
    for (const name of SPELLINGS)
      for (const [target, origin, tenants] of [
        ['/api/v1/ingest/x', stage.ingest, ['acme']],
        ['/api/auth/x', stage.auth, []],
      ] as const) {
        const fields: Field[] = [ACME, ['Transfer-Encoding', 'chunked'], ['Trailer', name]]
        const body = chunked(
          ['x'],
          [
            [name, 'evil'],
            ['X-Kept', '1'],
          ],
        )
        assert.equal((await stage.ask('POST', target, fields, body)).status, 200)
        await assertTenant(origin.last, tenants)
        assert.deepEqual((await origin.last.body).trailers, [['X-Kept', '1']])
      }
  })

  test('cannot be split off a neighbouring field', async () => {
    const heads = [
      'X-Other: a\r\n X-Company-ID: evil\r\n',
      'X-Other: a\rX-Company-ID: evil\r\n',
      'X-Other: a\nX-Company-ID: evil\r\n',
      'X-Company-ID : evil\r\n',
      ' X-Company-ID: evil\r\n',
      'X-Company-ID\0: evil\r\n',
      'X-Other: a\0\r\nX-Company-ID: evil\r\n\r\n',
      '\u00a0X-Company-ID: evil\r\n',
    ]
    for (const head of heads) {
      const { length } = stage.ingest.seen
      using client = await stage.connect()
      const got = await client.ask(
        `GET /api/v1/ingest/x HTTP/1.1\r\nHost: a\r\n${ACME.join(': ')}\r\n${head}\r\n`,
      )
      assert.equal(got.status, 400, JSON.stringify(head))
      assert.equal(stage.ingest.seen.length, length)
    }
  })

  test('does not stick to a connection that another tenant uses next', async () => {
    using client = await stage.connect()
    await client.ask(request('GET', '/api/v1/ingest/x', [ACME]))
    const anonymous = await client.ask(request('GET', '/api/v1/ingest/x', [['X-Company-ID', 'acme']]))
    assert.equal(anonymous.status, 401)
    await client.ask(request('GET', '/api/auth/x'))
    await assertTenant(stage.auth.last, [])
  })
})
