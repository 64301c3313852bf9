import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dispatch } from '../../src/cli/dispatch.ts'
import { tenantToken } from '../support/token.ts'
import { exitCodeOf, FakeEdge } from './fake-edge.ts'

const SECRET = 'a-secret-of-forty-bytes-for-tests-only-0'

const FILE = `
identity: { jwt: [{ name: nyro, secret: "\${SECRET}", algorithms: [HS256] }] }
upstreams: { a: { endpoints: ["http://10.0.0.1:1"] } }
routes:
  - { name: wide, match: { path: "/*" }, upstream: a }
  - { name: narrow, match: { path: "/a/:id", methods: [GET] }, upstream: a, auth: none }
`

async function run(argv: readonly string[], file = FILE) {
  const edge = new FakeEdge()
  edge.argv = argv
  edge.env = { SECRET }
  edge.files = { '/nyro.yaml': file }
  const code = await exitCodeOf(() => dispatch(edge))
  return { code, printed: edge.printed, complained: edge.complained }
}

describe('nyro explain', () => {
  test('says which route takes a request, by a file', async () => {
    const { code, printed, complained } = await run(['explain', 'GET', '/a/1', '-c', '/nyro.yaml'])
    assert.deepEqual([code, complained], [null, ''])
    assert.match(printed, /^Route {5}narrow$/m)
    assert.match(printed, /^ {10}not wide: it matches too, but narrow is more specific$/m)
    assert.match(printed, /^ {4}GET \/a\/1 HTTP\/1\.1$/m)
  })

  test('judges the token and the fields it is given, and shows neither', async () => {
    const token = tenantToken('acme')
    const given = [
      'explain',
      'POST',
      '/a/1',
      '-c',
      '/nyro.yaml',
      '--token',
      token,
      '-H',
      'Cookie: private=1',
      '--json',
    ]
    const { printed } = await run(given)
    const { route, policies, ending } = JSON.parse(printed)
    assert.equal(route.chosen, 'wide')
    // The token was signed with another secret than the file's.
    assert.deepEqual([policies.at(-1).policy, ending.code], ['jwt', 'token_invalid'])
    for (const secret of [token, SECRET, 'private=1']) assert(!printed.includes(secret))
  })

  test('says what keeps it from telling, with status 1', async () => {
    const { code, complained } = await run(
      ['explain', 'GET', '/', '-c', '/nyro.yaml'],
      FILE.replaceAll('upstream: a', 'upstream: gone'),
    )
    assert.equal(code, 1)
    assert.match(complained, /^nyro: nothing can be explained, for \d reasons:\n {2}\/nyro\.yaml:5:/)
  })

  test('says that nobody answers at the operator listener it was to ask', async () => {
    const { code, complained } = await run(['explain', 'GET', '/', '--admin', 'http://127.0.0.1:9/'])
    assert.equal(code, 1)
    assert.match(complained, /^nyro: the operator listener at http:\/\/127\.0\.0\.1:9 cannot be asked: /)
  })

  test('tells a method from a path, with status 2', async () => {
    const { code, complained } = await run(['explain', '/a/1', 'GET'])
    assert.deepEqual([code, /expects a method first/.test(complained)], [2, true])
  })
})

describe('nyro routes', () => {
  test('prints the table in match order, and JSON for programs', async () => {
    const { code, printed } = await run(['routes', '/nyro.yaml'])
    assert.equal(code, null)
    assert.deepEqual(
      printed.split('\n').map((line) => line.split(' ')[0]),
      ['ROUTE', 'narrow', 'wide', ''],
    )
    const json = JSON.parse((await run(['routes', '--json', '/nyro.yaml'])).printed)
    assert.deepEqual(json[0], {
      name: 'narrow',
      host: '*',
      path: '/a/:id',
      methods: ['GET'],
      conditions: [],
      auth: 'none',
      ending: 'a',
    })
  })

  test('prints no table of a bad file', async () => {
    const { code, printed, complained } = await run(['routes', '/nyro.yaml'], 'routes: 1')
    assert.deepEqual([code, printed], [1, ''])
    assert.match(complained, /there is no table|nyro\.yaml/)
  })
})
