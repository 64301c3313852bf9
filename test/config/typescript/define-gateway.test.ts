import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { defineGateway } from '../../../src/index.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MODULES = dirname(dirname(createRequire(import.meta.url).resolve('typescript/package.json')))

/** A configuration as an operator writes it; every line of `wrong` is one that their compiler must point at. */
const GOOD = `import { defineGateway, type GatewayConfig } from 'nyro-gateway'

const head = '5s'
const routes: GatewayConfig['routes'] = [
  { name: 'query', match: { path: '/api/*', methods: ['GET'] }, upstream: 'query', timeouts: { head }, body: { max: '10MiB' } },
  { name: 'old', match: { path: '/old/*' }, redirect: { status: 308, path: '/new' } },
  { name: 'canary', match: { path: '/c' }, upstream: { query: 90, other: 10 }, policies: [{ use: './sign.ts', with: { a: 1 } }] },
]
export default defineGateway({
  listen: { port: '\${PORT:-8080}' },
  identity: { jwt: [{ name: 'nyro', secret: '\${GATEWAY_JWT_SECRET}', algorithms: ['HS256'] }] },
  upstreams: {
    query: { endpoints: ['http://query:80'], timeouts: { total: 'off' }, retry: { budget: '20%' } },
    other: { endpoints: ['\${OTHER}'] },
  },
  routes,
})
`

const WRONG = `import { defineGateway } from 'nyro-gateway'

export default defineGateway({
  listen: { timeouts: { head: '5 parsecs' } },
  shutdown: { timeout: 30 },
  upstreams: { query: { endpoints: ['http://query:80'], retry: { budget: '0.2' } } },
  routes: [
    { name: 'a', match: { path: '/a' }, upstream: 'query', body: { max: '10MB' } },
    { name: 'b', match: { path: '/b' }, upstream: 'query', auth: 'maybe' },
    { name: 'c', match: { path: '/c' }, upstreem: 'query' },
    { name: 'd', match: { path: '/d' }, upstream: 'query', limit: { per: 'tenant', rate: 'ten', burst: 1 } },
  ],
})
`

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'nyro-types-'))
})
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('defineGateway', () => {
  test('returns what it is given', () => {
    const config = { upstreams: {}, routes: [] }
    assert.equal(defineGateway(config), config)
  })

  test("has the operator's compiler accept what is right and point at every line that is wrong", () => {
    const options = {
      strict: true,
      noEmit: true,
      target: 'ES2024',
      module: 'nodenext',
      types: ['node'],
      typeRoots: [join(MODULES, '@types')],
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
      paths: { 'nyro-gateway': [join(ROOT, 'src/index.ts')] },
    }
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
    )
    writeFileSync(join(folder, 'good.ts'), GOOD)
    writeFileSync(join(folder, 'wrong.ts'), WRONG)
    const compiler = join(MODULES, '.bin/tsc')
    const { stdout, stderr } = spawnSync(compiler, ['--project', folder, '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
    })
    assert.equal(stderr, '')
    const places = stdout.split('\n').filter((line) => /^\S.*\): error/.test(line))
    const lines = new Set(places.map((line) => line.replace(/,\d+\): .*$/, '').replace('(', ':')))
    const wrong = [4, 5, 6, 8, 9, 10, 11].map((line) => `wrong.ts:${line}`)
    assert.deepEqual([...lines].toSorted(), wrong.toSorted(), stdout)
  })
})
