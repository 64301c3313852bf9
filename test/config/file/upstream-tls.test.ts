import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Authority } from '../../support/certificate.ts'
import { loadText } from './load-text.ts'

const authority = new Authority()
after(() => authority[Symbol.dispose]())
const own = authority.issue('DNS:service.test')
const other = authority.issue('DNS:other.test')

const FILE = `
upstreams:
  a:
    endpoints: https://service.test
    tls: { ca: ./ca.pem, certificate: "\${CERTIFICATE}", key: "\${file:/run/key}", serverName: Service.test }
routes: [{ name: a, upstream: a, auth: none }]
`

function load(certificate: string, key: string): ReturnType<typeof loadText> {
  return loadText(FILE, {
    env: { CERTIFICATE: certificate },
    files: { 'ca.pem': own.cert + other.cert, key },
  })
}

describe('TLS to an upstream', () => {
  test('takes PEM from files and variables, line breaks written out or not', async () => {
    const loaded = await load(own.cert.replaceAll('\n', '\\n'), own.key)
    assert.ok(loaded.config !== null)
    const [upstream] = loaded.config.upstreams
    assert.deepEqual(upstream?.tls, {
      ca: own.cert + other.cert,
      certificate: own.cert,
      // The line break at the end of a file is dropped.
      key: own.key.trimEnd(),
      serverName: 'service.test',
    })
    const names = loaded.files.map((path) => path.split('/').at(-1))
    assert.deepEqual(names.toSorted(), ['ca.pem', 'key', 'nyro.yaml'])
  })

  test("refuses a key that is another certificate's", async () => {
    const loaded = await load(own.cert, other.key)
    assert.ok(loaded.config === null)
    assert.deepEqual(loaded.problems, [
      "nyro.yaml:5:62 upstreams.a.tls.key does not belong to the certificate; expected the certificate's own key. Take both from the same issue.",
    ])
  })

  test('refuses what is no key or certificate, and shows nothing of it', async () => {
    const loaded = await load(own.key, own.cert)
    assert.ok(loaded.config === null)
    assert.deepEqual(
      loaded.problems.map((problem) => problem.split(';')[0]),
      [
        'nyro.yaml:5:39 upstreams.a.tls.certificate holds no certificate that can be read',
        'nyro.yaml:5:62 upstreams.a.tls.key holds no private key that can be read',
      ],
    )
  })
})
