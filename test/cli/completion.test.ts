import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { COMMANDS } from '../../src/cli/command-table.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { exitCodeOf, FakeEdge } from './fake-edge.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'nyro-completion-'))
  writeFileSync(join(folder, 'nyro.yaml'), '')
  writeFileSync(join(folder, 'with space.yaml'), '')
})
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

async function scriptFor(shell: string): Promise<string> {
  const edge = new FakeEdge()
  edge.argv = ['completion', shell]
  assert.equal(await exitCodeOf(() => dispatch(edge)), null)
  return edge.printed
}

/** What the shell would offer for the last of the words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const script = `${await scriptFor('bash')}
COMP_WORDS=(nyro "$@"); COMP_CWORD=$#; _nyro; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.deepEqual([stderr, status], ['', 0])
  return stdout.split('\n').filter((line) => line !== '')
}

describe('completion in bash', () => {
  test('offers the commands', async () => {
    const words = new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))
    assert.deepEqual(await offered(''), [...words, '--help', '--version'])
    assert.deepEqual(await offered('com'), ['completion'])
  })

  test('offers the options of a command, and files where it takes them', async () => {
    assert.deepEqual(await offered('check', '--'), ['--json', '--help'])
    assert.deepEqual(await offered('check', 'n'), ['nyro.yaml'])
    assert.deepEqual(await offered('diff', 'nyro.yaml', 'w'), ['with space.yaml'])
    assert.deepEqual(await offered('version', 'n'), [])
  })

  test('offers files behind an option that takes one', async () => {
    assert.deepEqual(await offered('start', '--config', 'n'), ['nyro.yaml'])
    assert.deepEqual(await offered('start', '-c', 'n'), ['nyro.yaml'])
    assert.deepEqual(await offered('start', '--c'), ['--config'])
  })

  test('offers what may stand behind a first word, and the options of both', async () => {
    assert.deepEqual(await offered('token', ''), ['mint', 'inspect', '--help'])
    assert.deepEqual(await offered('token', 'mint', '--te'), ['--tenant'])
    assert.deepEqual(await offered('token', 'mint', '--config', 'n'), ['nyro.yaml'])
    assert.deepEqual(await offered('revoke', 'l'), ['list', 'lift'])
    assert.deepEqual(await offered('revoke', '--f'), ['--for'])
    assert.deepEqual(await offered('revoke', 'list', '--'), ['--admin', '--json', '--help'])
  })

  test('offers the choices of an argument', async () => {
    assert.deepEqual(await offered('completion', ''), ['bash', 'zsh', 'fish', '--help'])
    assert.deepEqual(await offered('completion', 'z'), ['zsh'])
    assert.deepEqual(await offered('help', 'ch'), ['check'])
  })
})

describe('completion in other shells', () => {
  for (const shell of ['zsh', 'fish']) {
    test(`names every command with its summary and its options in ${shell}`, async () => {
      const script = await scriptFor(shell)
      for (const { name, options } of COMMANDS) {
        for (const word of name.split(' ')) assert(script.includes(word), name)
        for (const option of options) assert(script.includes(option.name) && script.includes(option.meaning))
      }
    })
  }

  test('has quotes and brackets of a summary escaped', async () => {
    const { completion } = await import('../../src/cli/completion.ts')
    const [first] = COMMANDS
    assert(first !== undefined)
    const odd = [{ ...first, summary: "what's [this]: a \\ test" }]
    const script = (shell: string): string => {
      const edge = new FakeEdge()
      completion(edge, { operands: [shell], options: new Map() }, odd)
      return edge.printed
    }
    assert(script('zsh').includes(String.raw`'start:what'\''s \[this\]\: a \\ test'`))
    assert(script('fish').includes(String.raw`-d 'what\'s [this]: a \\ test'`))
  })

  test('has zsh and fish parse their scripts, where they are installed', async (t) => {
    let parsed = 0
    for (const shell of ['zsh', 'fish']) {
      const file = join(folder, `nyro.${shell}`)
      writeFileSync(file, await scriptFor(shell))
      const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
      if (error !== undefined) continue
      assert.deepEqual([status, stderr], [0, ''], shell)
      parsed++
    }
    if (parsed === 0) t.skip('neither is installed')
  })
})
