import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Loaded } from '../../../src/config/loaded.ts'
import { loadModule } from '../../../src/config/typescript/load.ts'
import { machine, STRONG_SECRET } from '../load-with.ts'

let folder = ''
before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nyro-module-')))
})
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly dotenvText?: string
  readonly timeLimitMs?: number
}

let loads = 0

/** Loads nyro.ts of these files, or the first of them. Texts of the result call the folder `~`. */
async function load(files: Readonly<Record<string, string>>, given: Given = {}): Promise<Loaded> {
  const root = join(folder, String(loads++))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  const source = {
    ...machine,
    readFile: (path: string) => readFileSync(path),
    env: given.env ?? {},
    dotenvText: given.dotenvText ?? null,
  }
  const entry = join(root, Object.keys(files)[0] ?? 'nyro.ts')
  const loaded = await loadModule(entry, source, given.timeLimitMs ?? 30_000)
  const short = (texts: readonly string[]): readonly string[] =>
    texts.map((text) => text.replaceAll(root, '~'))
  return loaded.config === null
    ? {
        ...loaded,
        problems: short(loaded.problems),
        warnings: short(loaded.warnings),
        files: short(loaded.files),
      }
    : { ...loaded, warnings: short(loaded.warnings), files: short(loaded.files) }
}

async function problemsOf(
  files: Readonly<Record<string, string>>,
  given: Given = {},
): Promise<readonly string[]> {
  const loaded = await load(files, given)
  assert(loaded.config === null, 'the configuration was accepted')
  for (const problem of loaded.problems) assert.doesNotMatch(problem, /[\r\n]/)
  return loaded.problems
}

const GOOD = `{
  upstreams: { a: { endpoints: ['http://a:1'] } },
  routes: [{ name: 'a', match: { path: '/a/*' }, upstream: 'a', auth: 'none' }],
}`

describe('a TypeScript config', () => {
  test('is judged as a file is, with everything local it imports among its files', async () => {
    const loaded = await load(
      {
        'nyro.ts': `
          import { defineGateway } from 'nyro-gateway'
          import { endpoints } from './part/endpoints.ts'
          import names from './names.json' with { type: 'json' }
          type Name = string
          const name: Name = names.gateway
          export default defineGateway({ ...${GOOD}, name, upstreams: { a: { endpoints } } })`,
        'part/endpoints.ts': "export const endpoints: `http://${string}`[] = ['http://b:1']",
        'names.json': '{ "gateway": "From JSON" }',
      },
      {},
    )
    assert(loaded.config !== null, loaded.config === null ? loaded.problems.join() : '')
    assert.equal(loaded.config.name, 'From JSON')
    assert.deepEqual(loaded.config.upstreams[0]?.endpoints, [{ url: 'http://b:1' }])
    assert.deepEqual(loaded.files.toSorted(), ['~/names.json', '~/nyro.ts', '~/part/endpoints.ts'])
    assert.deepEqual(loaded.warnings, [])
  })

  test('may be plain JavaScript, or come of an await', async () => {
    for (const [name, text] of [
      ['nyro.mjs', `export default ${GOOD}`],
      ['nyro.js', `export default await Promise.resolve(${GOOD})`],
      ['nyro.mts', `export default ${GOOD} as const`],
    ] as const) {
      const loaded = await load({ [name]: text })
      assert.equal(loaded.config?.routes[0]?.name, 'a', name)
    }
  })

  test('sees the variables of the process and, below them, of .env, as a copy', async () => {
    const text = `
      process.env.MARK_OF_A_TEST = 'left behind'
      export default { ...${GOOD}, name: process.env.ONE + process.env.TWO }`
    const given = { env: { ONE: 'real' }, dotenvText: 'ONE=file\nTWO=-and-file' }
    assert.equal((await load({ 'nyro.ts': text }, given)).config?.name, 'real-and-file')
    assert.equal(process.env['MARK_OF_A_TEST'], undefined)
  })

  test('refers to variables as a file does', async () => {
    const text = `export default { ...${GOOD}, name: '\${NAME:-Nobody}' }`
    assert.equal((await load({ 'nyro.ts': text })).config?.name, 'Nobody')
  })

  test('leaves nothing of itself behind: the next load evaluates it anew', async () => {
    const text = `globalThis.count = (globalThis.count ?? 0) + 1
      export default { ...${GOOD}, name: 'load ' + globalThis.count }`
    assert.equal((await load({ 'nyro.ts': text })).config?.name, 'load 1')
    assert.equal((await load({ 'nyro.ts': text })).config?.name, 'load 1')
    assert(!('count' in globalThis))
  })

  test('may have libraries that take themselves for workers', async () => {
    const text = `import { parentPort, workerData } from 'node:worker_threads'
      parentPort.postMessage('hello'); parentPort.postMessage({ kind: 'no default' })
      export default ${GOOD}`
    assert.notEqual((await load({ 'nyro.ts': text })).config, null)
  })

  test('that keeps a timer running is killed once it has its value', async () => {
    const loaded = await load({ 'nyro.ts': `setInterval(() => {}, 1_000); export default ${GOOD}` })
    assert.notEqual(loaded.config, null)
  })

  test('has what it prints among the warnings, whole and in order, without secrets', async () => {
    const loaded = await load(
      {
        'nyro.ts': `for (let i = 1; i <= 3; i++) console.log('line', i)
          console.log('key', process.env.GATEWAY_JWT_SECRET, '-----BEGIN PRIVATE KEY-----')
          console.log('secret', process.env.GATEWAY_JWT_SECRET, '\\u001b[2J', 'x'.repeat(1_000))
          export default ${GOOD}`,
      },
      { env: { GATEWAY_JWT_SECRET: STRONG_SECRET } },
    )
    const { warnings } = loaded
    assert.deepEqual(warnings.slice(0, 4), [
      '~/nyro.ts printed: line 1',
      '~/nyro.ts printed: line 2',
      '~/nyro.ts printed: line 3',
      '~/nyro.ts printed: (not shown, it may hold a key)',
    ])
    assert.match(warnings[4] ?? '', /^~\/nyro\.ts printed: secret \(not shown\) \uFFFD\[2J x{200,300}…$/)
  })

  test('may print as much as it likes, and is quoted with twenty lines', async () => {
    const text = `for (let i = 0; i < 1_000; i++) console.log(i); export default ${GOOD}`
    const { warnings } = await load({ 'nyro.ts': text })
    assert.equal(warnings.length, 21)
    assert.equal(warnings[20], '~/nyro.ts printed: … and 980 lines more')
  })
})

describe('a TypeScript config is refused', () => {
  test('with every place that is no data, beside what else is wrong', async () => {
    const text = `
      const data = ${GOOD}
      data.routes[0].policies = [{ use: './sign.ts', with: { sign: () => 1 } }, new Date(0)]
      data.upstreams.a.timeouts = { head: '5 parsecs' }
      export default data`
    assert.deepEqual(await problemsOf({ 'nyro.ts': text }), [
      '~/nyro.ts routes[0].policies[0].with.sign is a function; expected plain data. A configuration is data: what a ' +
        'policy does goes into a file of its own, named by policies: [{ use: "./NAME.ts", with: { … } }].',
      '~/nyro.ts routes[0].policies[1] is an instance of a class; expected plain data. Write it as text, a number, a ' +
        'list or a plain object.',
      '~/nyro.ts upstreams.a.timeouts.head is "5 parsecs"; expected a duration such as 250ms, 10s, 5m or 24h. ' +
        'Correct it.',
    ])
  })

  const cases: readonly (readonly [string, string, string | RegExp])[] = [
    [
      'where it is a function itself',
      'export default () => ({})',
      /^~\/nyro\.ts default export is a function; expected plain data\. /,
    ],
    [
      'where it forgot to await',
      'export default (async () => ({}))()',
      /^~\/nyro\.ts default export is a promise; expected plain data\. Put await before it\.$/,
    ],
    [
      'where it exports nothing',
      'export const config = {}',
      '~/nyro.ts has no default export; expected a configuration. Write: export default defineGateway({ … })',
    ],
    [
      'where its syntax is wrong',
      'const a: number = 1\n\nexport default { a: = }',
      '~/nyro.ts:3:21 does not parse: Expression expected. Correct it.',
    ],
    [
      'where types are not all there is to erase',
      '\nenum Plan { free }\nexport default {}',
      '~/nyro.ts:2:1 has syntax that is more than types: TypeScript enum is not supported in strip-only mode. Types ' +
        'are stripped, not compiled: write it as JavaScript would.',
    ],
    [
      'where it imports a file that is not there',
      "\nimport { a } from './gone.ts'\nexport default a",
      '~/nyro.ts:2 imports ./gone.ts, which cannot be found. Correct it (with its ending), or install it.',
    ],
    [
      'where it imports a package that is not installed',
      "import a from 'no-package-of-this-name'\nexport default a",
      '~/nyro.ts:1 imports no-package-of-this-name, which cannot be found. Correct it (with its ending), or install it.',
    ],
    [
      'where it throws',
      "function secret(): never {\n  throw new Error('no\\nsecret')\n}\nexport default secret()",
      '~/nyro.ts:2:9 threw: no secret. Correct it.',
    ],
    ['where it throws no Error', "throw 'text'", '~/nyro.ts threw: text. Correct it.'],
    [
      'where it parses what is no JSON, which is not quoted',
      "export default JSON.parse('{ sesame')",
      '~/nyro.ts:1:21 threw: SyntaxError, for a text it parses. Correct it.',
    ],
    [
      'where it exits',
      'process.exit(0)',
      '~/nyro.ts ended before it had a value; expected a default export. Look for process.exit, or for an await that ' +
        'nothing settles.',
    ],
    [
      'where it waits for what never comes',
      'await new Promise(() => {}); export default {}',
      /^~\/nyro\.ts ended before it had a value; /,
    ],
    [
      'where something it began fails behind its back',
      `Promise.reject(new Error('later')); export default ${GOOD.replaceAll('\n', ' ')}`,
      '~/nyro.ts broke off: later. Expected it to be evaluated without an error. Correct it.',
    ],
  ]
  for (const [when, text, expected] of cases) {
    test(when, async () => {
      const [problem = '', ...others] = await problemsOf({ 'nyro.ts': text })
      assert.deepEqual(others, [])
      if (typeof expected === 'string') assert.equal(problem, expected)
      else assert.match(problem, expected)
    })
  }

  test('where JavaScript does not parse', async () => {
    const problems = await problemsOf({ 'nyro.mjs': 'const a = 1\n\nexport default { a: = }' })
    assert.deepEqual(problems, ["~/nyro.mjs:3:21 does not parse: Unexpected token '='. Correct it."])
  })

  test('where a file it imports is wrong, which is named and watched', async () => {
    const loaded = await load({
      'nyro.ts': "import './part/broken.ts'\nexport default {}",
      'part/broken.ts': '\nexport const a = ;',
    })
    assert(loaded.config === null)
    assert.deepEqual(loaded.problems, [
      './part/broken.ts:2:18 does not parse: Expression expected. Correct it.',
    ])
    assert.deepEqual(loaded.files, ['~/nyro.ts', '~/part/broken.ts'])
    assert.equal(loaded.exitCode, 2)
  })

  test('where JSON it imports is none, which is not quoted', async () => {
    const problems = await problemsOf({
      'nyro.ts': "import a from './a.json' with { type: 'json' }\nexport default a",
      'a.json': '{ "token": opensesame }',
    })
    assert.deepEqual(problems, ['./a.json does not parse: it is not JSON (RFC 8259). Correct it.'])
  })

  test('by the name of the link it stands behind, as in a Kubernetes volume', async () => {
    const root = join(folder, String(loads++))
    mkdirSync(join(root, '..v1'), { recursive: true })
    writeFileSync(join(root, '..v1/nyro.ts'), 'export default { a: = }')
    symlinkSync('..v1', join(root, '..data'))
    symlinkSync('..data/nyro.ts', join(root, 'nyro.ts'))
    const source = { ...machine, readFile: (path: string) => readFileSync(path), env: {}, dotenvText: null }
    const loaded = await loadModule(join(root, 'nyro.ts'), source)
    assert(loaded.config === null)
    assert.deepEqual(loaded.problems, [
      `${join(root, 'nyro.ts')}:1:21 does not parse: Expression expected. Correct it.`,
    ])
    assert.deepEqual(loaded.files, [join(root, 'nyro.ts'), join(root, '..v1/nyro.ts')])
  })

  test('where it takes too long, even in a loop that nothing interrupts, with what it imported so far', async () => {
    const loaded = await load(
      { 'nyro.ts': "import './part.ts'\nfor (;;);", 'part.ts': 'export {}' },
      { timeLimitMs: 1_000 },
    )
    assert(loaded.config === null)
    assert.deepEqual(loaded.problems, [
      '~/nyro.ts was still being evaluated after 1 s; expected a value at once. A configuration that waits for the ' +
        'network or loops cannot be reloaded: write down what it waits for.',
    ])
    assert.deepEqual(loaded.files, ['~/nyro.ts', '~/part.ts'])
  })

  test('without the secrets that its own errors repeat', async () => {
    const text = 'throw new Error(`cannot use ${process.env.GATEWAY_JWT_SECRET}`)'
    assert.deepEqual(await problemsOf({ 'nyro.ts': text }, { env: { GATEWAY_JWT_SECRET: STRONG_SECRET } }), [
      '~/nyro.ts:1:7 threw: cannot use (not shown). Correct it.',
    ])
  })

  test('without the secrets it put where no secret belongs', async () => {
    const text = `export default { ...${GOOD}, log: { level: process.env.GATEWAY_JWT_SECRET } }`
    const problems = await problemsOf({ 'nyro.ts': text }, { env: { GATEWAY_JWT_SECRET: STRONG_SECRET } })
    assert.match(problems.join('\n'), /log\.level is "\(not shown\)"; expected /)
  })

  test('with status 1 where it is not there', async () => {
    const source = { ...machine, env: {}, dotenvText: null }
    const loaded = await loadModule('/no/such/nyro.ts', source)
    assert(loaded.config === null)
    assert.deepEqual(
      [loaded.problems, loaded.exitCode, loaded.files],
      [
        ['/no/such/nyro.ts cannot be read: there is no such file. Put it there, or correct the path.'],
        1,
        ['/no/such/nyro.ts'],
      ],
    )
  })
})
