import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { parse } from 'yaml'
import { isApiKeyText } from '../../src/api-keys/key-text.ts'
import { parseApiKeys } from '../../src/api-keys/parse-api-keys.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { exitCodeOf, FakeEdge } from './fake-edge.ts'

let folder = ''
let file = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nyro-keys-'))
  file = join(folder, 'api-keys.yaml')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

interface Ended {
  readonly code: number | null
  readonly printed: string
  readonly complained: string
}

async function run(...argv: readonly string[]): Promise<Ended> {
  const edge = new FakeEdge()
  edge.argv = ['apikey', ...argv, '--file', file]
  const code = await exitCodeOf(() => dispatch(edge))
  return { code, printed: edge.printed, complained: edge.complained }
}

function identityOf(key: string) {
  const { keys, problems } = parseApiKeys(parse(readFileSync(file, 'utf8')))
  assert.equal(problems, null)
  return keys?.find(key) ?? null
}

describe('nyro apikey create', () => {
  test('prints a key once, whose hash is in the file and names its tenant', async () => {
    const words = [
      '--tenant',
      'acme',
      '--name',
      'ci',
      '--scope',
      'a:b c',
      '--plan',
      'pro',
      '--expires',
      '2090-01-31',
    ]
    const { code, printed, complained } = await run('create', ...words)
    assert.equal(code, null)
    const key = printed.trim()
    assert(isApiKeyText(key))
    const identity = identityOf(key)
    assert.deepEqual([identity?.tenant, identity?.subject, identity?.plan], ['acme', 'ci', 'pro'])
    assert.deepEqual([...(identity?.scopes ?? [])], ['a:b', 'c'])
    assert.equal(identity?.expiresAtS, Date.parse('2090-01-31') / 1_000)
    assert(!readFileSync(file, 'utf8').includes(key))
    assert(!complained.includes(key))
  })

  test('makes a file that only its owner reads, and leaves nothing beside it', async () => {
    await run('create', '--tenant', 'acme', '--name', 'ci')
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['api-keys.yaml'])
  })

  test('keeps remarks, other entries and the rights of a file that is there', async () => {
    const first = (await run('create', '--tenant', 'acme', '--name', 'ci')).printed.trim()
    const text = `# of the platform team\n${readFileSync(file, 'utf8')}  # rotate in May\n`
    writeFileSync(file, text, { mode: 0o640 })
    const { chmodSync } = await import('node:fs')
    chmodSync(file, 0o640)
    const second = (await run('create', '--tenant', '42', '--name', 'two')).printed.trim()
    const now = readFileSync(file, 'utf8')
    assert(now.includes('# of the platform team') && now.includes('# rotate in May'))
    assert.deepEqual([identityOf(first)?.tenant, identityOf(second)?.tenant], ['acme', '42'])
    assert.equal(statSync(file).mode & 0o777, 0o640)
  })

  test('writes through a link, so that it stays one', async () => {
    const target = join(folder, 'real.yaml')
    writeFileSync(target, '[]\n')
    symlinkSync(target, file)
    const key = (await run('create', '--tenant', 'acme', '--name', 'ci')).printed.trim()
    assert.equal(identityOf(key)?.tenant, 'acme')
    assert.match(readFileSync(target, 'utf8'), /^- name: ci\n/)
  })

  test('keeps a JSON file JSON', async () => {
    file = join(folder, 'keys.json')
    await run('create', '--tenant', 'acme', '--name', 'ci')
    const { printed } = await run('create', '--tenant', 'acme', '--name', 'two')
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).length, 2)
    assert.equal(identityOf(printed.trim())?.subject, 'two')
    await run('revoke', '--name', 'ci')
    assert.equal(JSON.parse(readFileSync(file, 'utf8')).length, 1)
  })

  test('counts an end from now on', async () => {
    const { printed } = await run('create', '--tenant', 'acme', '--name', 'ci', '--expires', '90d', '--json')
    const { key, expires } = JSON.parse(printed) as { readonly key: string; readonly expires: string }
    assert.equal(identityOf(key)?.expiresAtS, Date.parse(expires) / 1_000)
    const days = (Date.parse(expires) - Date.now()) / 86_400_000
    assert(days > 89.9 && days <= 90, String(days))
  })

  test('leaves a file that is not good as it is, and names what is wrong', async () => {
    for (const [text, reason] of [
      ['- name: ci\n  tenant: 5\n', /keys\[0\]\.tenant is a number/],
      ['- {\n', /line 2 is no YAML/],
      ['name: ci\n', /must be a list of keys/],
    ] as const) {
      writeFileSync(file, text)
      const { code, printed, complained } = await run('create', '--tenant', 'acme', '--name', 'new')
      assert.deepEqual([code, printed], [1, ''])
      assert.match(complained, reason)
      assert.equal(readFileSync(file, 'utf8'), text)
    }
    assert.deepEqual(readdirSync(folder), ['api-keys.yaml'])
  })

  test('takes each name once', async () => {
    await run('create', '--tenant', 'acme', '--name', 'ci')
    const { code, complained } = await run('create', '--tenant', 'acme', '--name', 'ci')
    assert.equal(code, 1)
    assert.match(complained, /has a key called ci already/)
  })

  // Two that write at once: whoever replaced the file last would drop the other's key.
  test('does not write while another does', async () => {
    writeFileSync(join(folder, '.api-keys.yaml.new'), '')
    const { code, complained } = await run('create', '--tenant', 'acme', '--name', 'ci')
    assert.equal(code, 1)
    assert.match(complained, /\.api-keys\.yaml\.new is there: another nyro is writing/)
    assert.deepEqual(readdirSync(folder), ['.api-keys.yaml.new'])
  })

  for (const [words, fault] of [
    [['--name', 'ci'], 'needs --tenant TENANT'],
    [['--tenant', 'acme'], 'needs --name NAME'],
    [['--tenant', 'a  b', '--name', 'ci'], 'needs other values: --tenant is a text of 4 characters'],
    [['--tenant', 'a', '--name', 'ci', '--scope', '"'], 'needs other values: --scope is no list of scopes'],
    [
      ['--tenant', 'a', '--name', 'ci', '--expires', '2001-01-01'],
      'takes with --expires no time that is over',
    ],
    [['--tenant', 'a', '--name', 'ci', '--expires', 'soon'], 'takes with --expires a day, a time, or'],
  ] as const) {
    test(`refuses as misuse: ${words.join(' ')}`, async () => {
      const { code, complained } = await run('create', ...words)
      assert.equal(code, 2)
      assert(complained.startsWith(`nyro: apikey create ${fault}`), complained)
      assert.deepEqual(readdirSync(folder), [])
    })
  }
})

describe('nyro apikey list and revoke', () => {
  test('list keys without their hashes, the expired ones as such', async () => {
    await run('create', '--tenant', 'acme', '--name', 'ci', '--scope', 'a', '--expires', '90d')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(/expires: .*/, 'expires: 2001-01-01'))
    await run('create', '--tenant', 'globex', '--name', 'two')
    const { printed } = await run('list')
    assert.match(printed, /^ci {2}nyro_\w{8}… {2}acme {2}scopes a {2}EXPIRED 2001-01-01 \(\d+ days ago\)\n/)
    assert.match(printed, /\ntwo {2}nyro_\w{8}… {2}globex\n$/)
    const listed = JSON.parse((await run('list', '--json')).printed) as readonly object[]
    assert.deepEqual(Object.keys(listed[1] ?? {}), ['name', 'tenant', 'prefix', 'state'])
  })

  test('take a key out, and say so where there is none', async () => {
    const key = (await run('create', '--tenant', 'acme', '--name', 'ci')).printed.trim()
    assert.notEqual(identityOf(key), null)
    assert.equal((await run('revoke', '--name', 'ci')).code, null)
    assert.equal(identityOf(key), null)
    const { code, complained } = await run('revoke', '--name', 'ci')
    assert.equal(code, 1)
    assert.match(complained, /has no key called ci/)
    assert.equal((await run('revoke')).code, 2)
  })

  test('say that a file is not there', async () => {
    const { code, complained } = await run('list')
    assert.equal(code, 1)
    assert.match(complained, /api-keys\.yaml is not there: nyro apikey create makes it/)
  })
})
