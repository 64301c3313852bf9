import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import type { Loaded } from '../../src/config/loaded.ts'
import { machine, STRONG_SECRET } from './load-with.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'nyro-doors-'))
  write('nyro.yaml', fileNamed('from YAML'))
  write('nyro.yml', fileNamed('from yml'))
  write('nyro.json', fileNamed('from JSON'))
  for (const ending of ['ts', 'mts', 'js', 'mjs']) {
    write(`nyro.${ending}`, `export default ${fileNamed(`from ${ending}`)}`)
  }
})
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** JSON, which is YAML and JavaScript too. */
function fileNamed(name: string): string {
  const routes = [{ name: 'a', match: { path: '/a/*' }, upstream: 'a', auth: 'none' }]
  return JSON.stringify({ name, upstreams: { a: { endpoints: ['http://a:1'] } }, routes })
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text)
}

function load(file: string | null, env: Readonly<Record<string, string>> = {}): Promise<Loaded> {
  const named = file === null ? null : join(folder, file)
  return loadConfig(named, { ...machine, readFile: (path) => readFileSync(path), env, cwd: folder })
}

async function nameOf(loaded: Promise<Loaded>): Promise<string | readonly string[]> {
  const { config, ...rest } = await loaded
  return config === null && 'problems' in rest ? rest.problems : (config?.name ?? '')
}

describe('loading', () => {
  for (const [file, name] of [
    ['nyro.yaml', 'from YAML'],
    ['nyro.yml', 'from yml'],
    ['nyro.json', 'from JSON'],
    ['nyro.ts', 'from ts'],
    ['nyro.mts', 'from mts'],
    ['nyro.js', 'from js'],
    ['nyro.mjs', 'from mjs'],
  ] as const) {
    test(`enters by the door that ${file} asks for, named or in GATEWAY_CONFIG`, async () => {
      assert.equal(await nameOf(load(file)), name)
      assert.equal(await nameOf(load(null, { gateway_config: ` ${join(folder, file)} ` })), name)
    })
  }

  test('takes the environment where no file is named, or GATEWAY_CONFIG is empty', async () => {
    const env = { GATEWAY_JWT_SECRET: STRONG_SECRET, GATEWAY_PROJECT_NAME: 'from variables' }
    assert.equal(await nameOf(load(null, env)), 'from variables')
    assert.equal(await nameOf(load(null, { ...env, GATEWAY_CONFIG: ' ' })), 'from variables')
  })

  test('prefers the file that is named to GATEWAY_CONFIG', async () => {
    assert.equal(await nameOf(load('nyro.ts', { GATEWAY_CONFIG: join(folder, 'nyro.yaml') })), 'from ts')
  })

  test('lets only the variables of the process itself override a file', async () => {
    const { config } = await load('nyro.ts', { GATEWAY_PORT: '81', GATEWAY_PROJECT_NAME: 'other' })
    assert.deepEqual([config?.listen.port, config?.name], [81, 'from ts'])
  })

  test('refuses another ending, and does not show what may be a secret in the place of a path', async () => {
    assert.deepEqual(await nameOf(load('nyro.toml')), [
      `"${join(folder, 'nyro.toml')}" has no known ending; expected one of .yaml, .yml, .json, .ts, .mts, .js, .mjs. ` +
        'Name the configuration file so.',
    ])
    assert.deepEqual(await nameOf(load(null, { GATEWAY_CONFIG: STRONG_SECRET })), [
      'GATEWAY_CONFIG is set (not shown, it is not written as /path or ./path); expected a file that ends in one of ' +
        '.yaml, .yml, .json, .ts, .mts, .js, .mjs. Name the configuration file so.',
    ])
  })

  test('reads .env anew each time: it may name the file, and what the file refers to', async () => {
    write('named.yaml', fileNamed('$' + '{WHO}'))
    write('.env', `GATEWAY_CONFIG=${join(folder, 'named.yaml')}\nWHO=first`)
    try {
      assert.equal(await nameOf(load(null)), 'first')
      write('.env', `GATEWAY_CONFIG=${join(folder, 'named.yaml')}\nWHO=second`)
      assert.equal(await nameOf(load(null)), 'second')
    } finally {
      rmSync(join(folder, '.env'))
    }
  })

  test('names every file it read or tried, whichever the door', async () => {
    const files = async (loaded: Promise<Loaded>): Promise<readonly string[]> =>
      (await loaded).files.map((file) => file.replace(`${folder}/`, '')).toSorted()
    write('secret.txt', STRONG_SECRET)
    const secret = { GATEWAY_JWT_SECRET_FILE: join(folder, 'secret.txt') }
    assert.deepEqual(await files(load(null, secret)), ['.env', 'secret.txt'])
    assert.deepEqual(await files(load('nyro.yaml')), ['.env', 'nyro.yaml'])
    assert.deepEqual(await files(load('nyro.ts')), ['.env', 'nyro.ts'])
    assert.deepEqual(await files(load('gone.yaml')), ['.env', 'gone.yaml'])
  })
})

describe("the README's configuration", () => {
  test('loads as it stands, without a note', async () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? []
    write('readme.yaml', yaml)
    const loaded = await load('readme.yaml', { GATEWAY_JWT_SECRET: STRONG_SECRET })
    assert(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
    assert.deepEqual(loaded.warnings, [])
  })
})

describe("the reference page's TypeScript configuration", () => {
  test('loads as it stands, without a note', async () => {
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
    const [, module = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
    write('page.ts', module)
    const loaded = await load('page.ts', { GATEWAY_JWT_SECRET: STRONG_SECRET })
    assert(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
    assert.deepEqual(loaded.warnings, [])
  })
})
