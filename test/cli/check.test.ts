import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { dispatch } from '../../src/cli/dispatch.ts'
import { exitCodeOf, FakeEdge } from './fake-edge.ts'

const SECRET = 'a-secret-of-forty-bytes-for-tests-only-0'

const GOOD = `
identity: { jwt: [{ name: nyro, secret: "\${SECRET}", algorithms: [HS256] }] }
upstreams: { a: { endpoints: ["http://a:1"] } }
routes: [{ name: a, match: { path: "/a/*" }, upstream: a }]
`

const WITH_NOTES = `${GOOD}tenant: { defaultPlan: free, plans: { free: { rate: 1/s, burst: 1 } } }
trustedProxies: [0.0.0.0/0]
`

const BAD = GOOD.replace('http://a:1', 'ftp://a').replace('upstream: a', 'upstreem: a')

async function run(
  argv: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<{ code: number | null; printed: string; complained: string }> {
  const edge = new FakeEdge()
  edge.argv = argv
  edge.env = { SECRET }
  edge.files = files
  const code = await exitCodeOf(() => dispatch(edge))
  return { code, printed: edge.printed, complained: edge.complained }
}

describe('nyro check', () => {
  test('says that a good file is good, with status 0', async () => {
    const ended = await run(['check', '/nyro.yaml'], { '/nyro.yaml': GOOD })
    assert.deepEqual(ended, { code: 0, printed: '/nyro.yaml is good\n', complained: '' })
  })

  test('takes a file with notes for good, and prints them', async () => {
    const { code, printed } = await run(['check', '/nyro.yaml'], { '/nyro.yaml': WITH_NOTES })
    assert.equal(code, 0)
    assert.match(
      printed,
      /^\/nyro\.yaml is good, 1 note\n {2}note: \/nyro\.yaml:6:\d+ trustedProxies\[0\] ends in \/0[^\n]*\n$/,
    )
  })

  test('names everything that is wrong, with status 1', async () => {
    const { code, printed, complained } = await run(['check', '/nyro.yaml'], { '/nyro.yaml': BAD })
    assert.deepEqual([code, complained], [1, ''])
    const [head, ...lines] = printed.trimEnd().split('\n')
    assert.equal(head, `/nyro.yaml is bad, ${lines.length} problems`)
    assert(lines.length >= 2)
    for (const line of lines) assert.match(line, /^ {2}\/nyro\.yaml:\d+:\d+ /)
    assert(!printed.includes(SECRET))
  })

  test('prints JSON for programs', async () => {
    const good = await run(['check', '--json', '/nyro.yaml'], { '/nyro.yaml': WITH_NOTES })
    const { warnings, ...rest } = JSON.parse(good.printed)
    assert.deepEqual(rest, {
      good: true,
      problems: [],
      files: ['/nyro.yaml', '/work-dir/.env'],
    })
    assert.equal(warnings.length, 1)
    const bad = await run(['check', '/nyro.yaml', '--json'], { '/nyro.yaml': BAD })
    assert.equal(bad.code, 1)
    const facts = JSON.parse(bad.printed)
    assert.equal(facts.good, false)
    assert(facts.problems.length >= 2)
  })

  test('judges what start would run with where no file is named', async () => {
    const bad = await run(['check'], {})
    assert.equal(bad.code, 1)
    assert.match(bad.printed, /^The configuration is bad, 1 problem\n {2}GATEWAY_JWT_SECRET is not set/)
    const good = await run(['check'], { '/work-dir/.env': `GATEWAY_JWT_SECRET=${SECRET}` })
    assert.deepEqual(good, { code: 0, printed: 'The configuration is good\n', complained: '' })
    const named = await run(['check'], { '/work-dir/.env': 'GATEWAY_CONFIG=/nyro.yaml', '/nyro.yaml': BAD })
    assert.match(named.printed, /\n {2}\/nyro\.yaml:/)
  })

  test('takes a file that cannot be read for bad', async () => {
    const { code, printed } = await run(['check', '/gone.yaml'], {})
    assert.equal(code, 1)
    assert.match(
      printed,
      /^\/gone\.yaml is bad, 1 problem\n {2}\/gone\.yaml cannot be read: there is no such file\./,
    )
  })
})

describe('nyro start with a file', () => {
  test('refuses a bad one as check judges it', async () => {
    const checked = await run(['check', '/nyro.yaml', '--json'], { '/nyro.yaml': BAD })
    for (const argv of [['start', '--config=/nyro.yaml'], ['start', '-c', '/nyro.yaml'], ['start']]) {
      const files = { '/nyro.yaml': BAD, '/work-dir/.env': 'GATEWAY_CONFIG=/nyro.yaml' }
      const { code, complained } = await run(argv, files)
      const { problems } = JSON.parse(checked.printed)
      const list = problems.map((problem: string) => `  ${problem}\n`).join('')
      assert.deepEqual(
        [code, complained],
        [2, `nyro: nothing was started, for ${problems.length} reasons:\n${list}`],
      )
    }
  })
})

describe('nyro diff', () => {
  const files = {
    '/a.yaml': GOOD,
    '/b.yaml': `${GOOD.replace('http://a:1', 'http://b:1')}listen: { port: 81 }\n`,
    '/same.yaml': `# other words\n${GOOD.replace('"/a/*"', "'/a/*'")}`,
    '/bad.yaml': BAD,
  }

  test('prints one line for each change, with status 1', async () => {
    const ended = await run(['diff', '/a.yaml', '/b.yaml'], files)
    assert.deepEqual(ended, {
      code: 1,
      printed:
        'listen.port 8080 → 81 (needs a restart)\n' +
        'upstream a: endpoint http://a:1 removed\n' +
        'upstream a: endpoint http://b:1 added\n',
      complained: '',
    })
  })

  test('prints nothing, with status 0, where only the words differ', async () => {
    assert.deepEqual(await run(['diff', '/a.yaml', '/same.yaml'], files), {
      code: 0,
      printed: '',
      complained: '',
    })
  })

  test('prints JSON for programs', async () => {
    const { printed } = await run(['diff', '--json', '/a.yaml', '/b.yaml'], files)
    assert.deepEqual(JSON.parse(printed)[0], {
      path: 'listen.port',
      words: 'listen.port 8080 → 81',
      needsRestart: true,
    })
    assert.equal((await run(['diff', '--json', '/a.yaml', '/a.yaml'], files)).printed, '[]\n')
  })

  test('names what is wrong with a file, with status 2', async () => {
    const { code, printed, complained } = await run(['diff', '/a.yaml', '/bad.yaml'], files)
    assert.deepEqual([code, printed], [2, ''])
    assert.match(complained, /^nyro: nothing was compared, for \d+ reasons:\n {2}\/bad\.yaml:/)
  })
})

describe('nyro schema', () => {
  test('prints the JSON Schema of files', async () => {
    const { code, printed } = await run(['schema'], {})
    assert.equal(code, null)
    const schema = JSON.parse(printed)
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
    assert('upstreams' in schema.properties && 'routes' in schema.properties)
  })
})
