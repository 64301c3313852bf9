import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { describe, test } from 'node:test'
import { importStatements } from './import-statement.ts'
import { loadTree } from './tree.ts'

/**
 * Which folders of src a folder takes values from; types may come from anywhere. It runs one way: the process edge,
 * the commands, the threads, what they compile and ask, the gateway's own core, the wire.
 */
const TAKES_FROM: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli', 'lib'],
  'index.ts': ['config', 'policies'],
  cli: ['api-keys', 'config', 'control', 'dev', 'explain', 'jwt', 'lib', 'policies'],
  explain: ['admission', 'assertion', 'config', 'http1', 'lib', 'limits', 'proxy', 'upstreams', 'worker'],
  dev: ['config', 'lib'],
  control: [
    ...[
      'admission',
      'api-keys',
      'assertion',
      'config',
      'explain',
      'http1',
      'jwt',
      'lib',
      'limits',
      'metrics',
      'observe',
      'policies',
      'proxy',
    ],
    ...['revocation', 'upstreams'],
  ],
  worker: [
    ...[
      'admission',
      'api-keys',
      'assertion',
      'config',
      'docs',
      'http1',
      'identity',
      'jwt',
      'lib',
      'limits',
      'metrics',
      'observe',
      'policies',
    ],
    ...['proxy', 'revocation', 'upstreams'],
  ],
  config: ['api-keys', 'identity', 'jwt', 'lib', 'limits'],
  assertion: ['lib'],
  docs: ['lib', 'proxy'],
  policies: [
    ...[
      'admission',
      'api-keys',
      'http1',
      'identity',
      'jwt',
      'lib',
      'limits',
      'observe',
      'proxy',
      'revocation',
    ],
  ],
  proxy: ['http1', 'identity', 'lib', 'upstreams'],
  upstreams: ['http1', 'lib'],
  http1: ['lib'],
  jwt: ['lib'],
  identity: ['api-keys', 'lib'],
  'api-keys': ['lib'],
  revocation: ['lib'],
  admission: [],
  limits: ['lib'],
  metrics: ['proxy', 'upstreams'],
  observe: ['lib'],
  lib: [],
}

interface Source {
  readonly path: string
  readonly folder: string
  /** What is loaded with it: files of src by path, everything else as written. */
  readonly loads: readonly string[]
  /** `loads`, and what it loads later. */
  readonly takes: readonly string[]
}

const sources = loadTree()
  .filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts'))
  .map(({ path, text }): Source => {
    const values = importStatements(text).filter(({ kind }) => kind !== 'type')
    return {
      path,
      folder: folderOf(path),
      loads: values.filter(({ kind }) => kind === 'static').map(({ specifier }) => resolve(path, specifier)),
      takes: values.map(({ specifier }) => resolve(path, specifier)),
    }
  })
const byPath = new Map(sources.map((source) => [source.path, source]))

describe('imports', () => {
  test('of values run one way between the folders of src', () => {
    const wrong = sources.flatMap(({ path, folder, takes }) =>
      takes
        .filter((taken) => taken.startsWith('src/') && folderOf(taken) !== folder)
        .filter((taken) => !TAKES_FROM[folder]?.includes(folderOf(taken)))
        .map((taken) => `${path} takes a value from ${taken}`),
    )
    assert.deepEqual(wrong, [])
  })

  test('are known for every folder of src', () => {
    const folders = new Set(sources.map(({ folder }) => folder))
    assert.deepEqual([...folders].sort(), Object.keys(TAKES_FROM).sort())
  })

  test('name files that are there', () => {
    const gone = sources.flatMap(({ path, takes }) =>
      takes
        .filter((taken) => taken.startsWith('src/') && !byPath.has(taken))
        .map((taken) => `${path}: ${taken}`),
    )
    assert.deepEqual(gone, [])
  })

  for (const entry of ['src/main.ts', 'src/worker/thread.ts']) {
    test(`load no package with ${entry}, which costs time and memory at every start`, () => {
      const loaded = loadedWith(entry)
      assert.ok(loaded.size > 5, `only ${[...loaded]}`)
      assert.deepEqual(
        [...loaded].filter((name) => !name.startsWith('src/') && !name.startsWith('node:')),
        [],
      )
    })
  }

  test('take the schema library and the YAML parser for configuration files alone', () => {
    const users = sources.filter(({ takes }) => takes.includes('zod') || takes.includes('yaml'))
    assert.ok(users.length > 0)
    assert.deepEqual(
      users.filter(({ path }) => !path.startsWith('src/config/file/')).map(({ path }) => path),
      [],
    )
  })

  test('are read as the compiler reads them', () => {
    const text = [
      "import a from 'a'",
      "import { b, type B } from './b.ts'",
      "import type { C } from './c.ts'",
      'import {',
      '  d,',
      "} from './d.ts'",
      "import './e.ts'",
      "export { f } from './f.ts'",
      "export type { G } from './g.ts'",
      "export const h = 'from nowhere'",
      "const i = await import('./i.ts')",
      "type J = import('./j.ts').J",
    ].join('\n')
    assert.deepEqual(
      importStatements(text).map(({ kind, specifier }) => `${kind} ${specifier}`),
      [
        'static a',
        'static ./b.ts',
        'type ./c.ts',
        'static ./d.ts',
        'static ./e.ts',
        'static ./f.ts',
        'type ./g.ts',
        'dynamic ./i.ts',
        'type ./j.ts',
      ],
    )
  })
})

function folderOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier
}

function loadedWith(entry: string): ReadonlySet<string> {
  const loaded = new Set<string>()
  const waiting = [entry]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (loaded.has(name)) continue
    loaded.add(name)
    waiting.push(...(byPath.get(name)?.loads ?? []))
  }
  return loaded
}
