// Published sets of requests, at the parser: what their authors refuse we refuse, what they read we read, but for the
// differences below. Smuggling lives off requests that two implementations read differently; these are the ones that
// implementations have disagreed about.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readStream } from '../http1/stream-reading.ts'
import { wireVectors } from '../support/reference-data.ts'

/** How reading ends where nothing was refused. */
const READ = ['complete', 'waiting', 'closed', 'upgraded']

interface Verdict {
  /** How reading ends: READ or a ProtocolErrorCode. */
  readonly end: string
  readonly because: string
}

function differ(end: string, because: string, ids: readonly string[]): [string, Verdict][] {
  return ids.map((id) => [id, { end, because }])
}

/** Where we decide otherwise than the set says, or it leaves the decision open, each with its reason. */
const DIFFERENCES: ReadonlyMap<string, Verdict> = new Map([
  ...differ('malformed', 'CONNECT is for forward proxies', [
    'llhttp-method-002',
    'llhttp-method-004',
    'llhttp-method-006',
    'llhttp-uri-016',
    'go-readreq-07',
    'go-readreq-08',
    'go-readreq-09',
  ]),
  ...differ('malformed', 'only OPTIONS takes an asterisk (RFC 9112 section 3.2.4)', [
    'llhttp-method-008',
    'llhttp-method-028',
    'go-readreq-10',
  ]),
  ...differ('malformed', 'HTTP is the only protocol spoken', [
    'llhttp-method-022',
    'llhttp-method-024',
    'llhttp-method-026',
  ]),
  ...differ('malformed', 'a request without a version is HTTP/0.9', ['llhttp-sample-018']),
  ...differ('malformed', 'a fragment is never sent (RFC 9112 section 3.2)', ['llhttp-uri-014']),
  ...differ('transfer_coding_unknown', 'chunked is the only coding understood', [
    'llhttp-transfer-encoding-038',
  ]),
  ...differ('malformed', 'Transfer-Encoding in two fields', ['llhttp-transfer-encoding-040']),
  ...differ('malformed', 'userinfo in http URIs is refused (RFC 9110 section 4.2.4)', ['llhttp-uri-018']),
  ...differ('malformed', 'what follows the body is no request', ['go-readreq-00']),
  ...differ('malformed', 'both framing fields (RFC 9112 section 6.3)', ['go-readreq-06', 'h1spec-032']),
  ...differ('malformed', 'HTTP/1.1 without Host (RFC 9112 section 3.2)', ['go-readreq-11']),
  ...differ('malformed', 'an empty Host names no authority for an http URI (RFC 9110 section 4.2.1)', [
    'go-host-02',
  ]),
  ...differ('malformed', 'an IPv6 address stands in brackets, without a zone (RFC 3986 section 3.2.2)', [
    'go-host-07',
    'go-host-10',
  ]),
  ...differ('version_unsupported', 'the HTTP/2 preface', ['go-readreq-14', 'go-host-20']),
  ...differ('complete', 'any token is a method', ['llhttp-invalid-026']),
  ...differ('closed', 'any token is a method', ['llhttp-invalid-006']),
  ...differ('complete', 'left open by the set: a body is read whatever the answer', ['h1spec-030']),
  ...differ('waiting', 'a version is judged with its line end', ['llhttp-invalid-036']),
  ...differ('waiting', 'about the end of the connection, which the parser does not see', [
    'llhttp-finish-002',
    'llhttp-finish-004',
  ]),
  ...differ('complete', 'about the end of the connection, which the parser does not see', [
    'llhttp-finish-000',
  ]),
  ...differ('closed', 'lenient about bytes behind the last request, which are not read', [
    'llhttp-connection-006',
    'llhttp-connection-020',
  ]),
])

const HOSTLESS_CASES = 82

const SETS = [
  { name: 'llhttp-request', cases: 166 },
  { name: 'h1spec', cases: 33 },
  { name: 'go-nethttp', cases: 58 },
]

for (const { name, cases } of SETS) {
  const vectors = wireVectors(name)
  test(`decides on the requests of ${name} as the set says, or as our table of differences`, (t) => {
    if (vectors === null) return t.skip(`${cases} cases skipped: the set is not beside this checkout`)
    assert.equal(vectors.length, cases)
    let met = 0
    for (const { id, desc, expect, raw } of vectors) {
      // That set is about other things than Host and fragments: what would be refused for those would test nothing.
      const text = name === 'llhttp-request' ? withHost(raw.replace('#hey ', ' ')) : raw
      const { end } = readStream(Buffer.from(text, 'latin1'))
      const difference = DIFFERENCES.get(id)
      const message = `${id} ${desc}: ${end}, ${JSON.stringify(text.slice(0, 300))}`
      if (difference !== undefined) assert.equal(end, difference.end, `${message} (${difference.because})`)
      else if (expect === 'wait') assert.equal(end, 'waiting', message)
      else assert.equal(READ.includes(end), expect === 'accept', message)
      if (difference === undefined) met++
    }
    const differences = [...DIFFERENCES.keys()].filter((id) =>
      vectors.some((vector) => vector.id === id),
    ).length
    assert.equal(met + differences, cases)
    t.diagnostic(`${met} cases as the set says, ${differences} as our table`)
  })
}

test('refuses the requests of llhttp that have no Host', (t) => {
  const vectors = wireVectors('llhttp-request')
  if (vectors === null) return t.skip(`${HOSTLESS_CASES} cases skipped: the set is not beside this checkout`)
  const hostless = vectors.filter(
    ({ raw }) => /^[A-Z]+ [!-~]+ HTTP\/1\.1\r\n[\s\S]*\r\n\r\n/.test(raw) && !/\nhost *:/i.test(raw),
  )
  assert.equal(hostless.length, HOSTLESS_CASES)
  for (const { id, raw } of hostless) {
    const { requests, end } = readStream(Buffer.from(raw, 'latin1'))
    assert.deepEqual([requests, READ.includes(end)], [0, false], id)
  }
})

/** Gives every HTTP/1.1 request that has none a Host field. */
function withHost(text: string): string {
  return text.replace(
    /(^|\r\n)([!-~]+ [!-~]+ HTTP\/1\.1\r\n)(?!(?:(?!\r\n\r\n)[\s\S])*?host *:)/gi,
    '$1$2Host: a\r\n',
  )
}
