import assert from 'node:assert/strict'
import { test } from 'node:test'
import { corsPolicy } from '../../src/policies/cors.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'
import { referenceText } from '../support/reference-data.ts'

type Fields = Readonly<Record<string, readonly string[]>>

interface Row {
  readonly name: string
  readonly method: string
  readonly options: {
    readonly AllowedOrigins?: readonly string[]
    readonly AllowedMethods?: readonly string[]
    readonly AllowCredentials?: boolean
    readonly MaxAge?: number
  }
  readonly reqHeaders: Fields
  readonly resHeaders: Fields
}

const PATTERN = 'turns on origins by pattern; ours are exact'
const FUNCTION = 'turns on a function of the program’s own'
const NAMES = 'turns on a list of allowed field names; ours repeats what is asked'
const NETWORK = 'turns on private network access, which is not offered'

const SKIPS: Readonly<Record<string, string>> = {
  NoConfig: 'turns on a default; ours are of the settings',
  MatchAllOriginWithCredentials: 'any origin with credentials: never here, see below',
  WildcardOrigin: PATTERN,
  DisallowedWildcardOrigin: PATTERN,
  AllowedOriginFuncMatch: FUNCTION,
  AllowOriginRequestFuncMatch: FUNCTION,
  AllowOriginVaryRequestFuncMatch: FUNCTION,
  AllowOriginRequestFuncNotMatch: FUNCTION,
  AllowedOriginsPlusAllowOriginFunc: FUNCTION,
  MaxAgeNegative: 'a negative age is not to be configured',
  DisallowedMethod: 'theirs answers without permission; ours is a 405, which the page may read',
  DisallowedHeader: NAMES,
  AllowedPrivateNetwork: NETWORK,
  DisallowedPrivateNetwork: NETWORK,
  OptionPassthrough: 'a preflight is always answered by the gateway',
  ExposedHeader: 'turns on a configured list; ours is fixed',
}

const text = referenceText('vectors/cors/rs_cors.json')
const skip = text === null && '28 cases skipped: the vectors are not here'

test('rs/cors: a page may read what it may read there', { skip }, async (t) => {
  const groups = JSON.parse(text ?? '') as readonly { readonly func: string; readonly rows: readonly Row[] }[]
  const rows = groups.find(({ func }) => func === 'TestSpec')?.rows ?? []
  let skipped = 0
  for (const row of rows) {
    const reason = SKIPS[row.name]
    if (reason === undefined) await t.test(row.name, () => judge(row))
    else {
      skipped++
      t.diagnostic(`${row.name} skipped: ${reason}`)
    }
  }
  t.diagnostic(`${rows.length - skipped} judged, ${skipped} skipped`)
  assert.equal(rows.length, 28)
  assert.equal(skipped, Object.keys(SKIPS).length)
})

/** Compares what decides in a browser. Ours reflects listed origins with credentials, so those are not compared. */
function judge(row: Row): void {
  const origins = row.options.AllowedOrigins ?? []
  const methods = row.options.AllowedMethods ?? ['GET', 'POST', 'HEAD']
  const policy = corsPolicy({
    origins: origins.includes('*') ? '*' : new Set(origins),
    maxAgeS: row.options.MaxAge ?? 600,
    methods,
  })
  const lines = Object.entries(row.reqHeaders).flatMap(([name, values]) =>
    values.map((value) => `${name}: ${value}`),
  )
  const exchange = exchangeOf(parsedRequest(`${row.method} / HTTP/1.1`, 'Host: gw.test', ...lines))
  void policy.admit(exchange)
  const answered = fieldsOf(exchange.answered)
  const compared = ['access-control-allow-origin']
  if (row.options.MaxAge !== undefined) compared.push('access-control-max-age')
  for (const field of compared)
    assert.deepEqual(answered.get(field) ?? [], valuesOf(row.resHeaders, field), field)
  const names = 'access-control-allow-headers'
  assert.deepEqual(membersOf(answered.get(names) ?? []), membersOf(valuesOf(row.resHeaders, names)), names)
  // Theirs repeats the asked method, ours names all that are allowed.
  const allowed = membersOf(answered.get('access-control-allow-methods') ?? [])
  const expected = membersOf(valuesOf(row.resHeaders, 'access-control-allow-methods'))
  assert.equal(allowed.length > 0, expected.length > 0, 'access-control-allow-methods')
  for (const method of expected) assert.ok(allowed.includes(method), method)
}

function fieldsOf(lines: string): ReadonlyMap<string, string[]> {
  const fields = new Map<string, string[]>()
  for (const line of lines.split('\r\n').filter((each) => each !== '')) {
    const colon = line.indexOf(': ')
    const name = line.slice(0, colon).toLowerCase()
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 2)])
  }
  return fields
}

function valuesOf(fields: Fields, lowerCaseName: string): readonly string[] {
  return Object.entries(fields)
    .filter(([name]) => name.toLowerCase() === lowerCaseName)
    .flatMap(([, values]) => values)
}

function membersOf(values: readonly string[]): readonly string[] {
  return values
    .join(',')
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '')
}

test('any origin is never combined with credentials, whatever is configured', () => {
  const exchange = exchangeOf(parsedRequest('GET / HTTP/1.1', 'Host: gw.test', 'Origin: http://foobar.com'))
  void corsPolicy({ origins: '*', maxAgeS: 1, methods: ['GET'] }).admit(exchange)
  assert.deepEqual(fieldsOf(exchange.answered).get('access-control-allow-credentials'), undefined)
})
