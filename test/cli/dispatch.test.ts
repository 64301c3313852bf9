import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { COMMANDS } from '../../src/cli/command-table.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { helpText } from '../../src/cli/help.ts'
import { exitCodeOf, FakeEdge } from './fake-edge.ts'

async function run(...argv: string[]): Promise<{ code: number | null; printed: string; complained: string }> {
  const edge = new FakeEdge()
  edge.argv = argv
  const code = await exitCodeOf(() => dispatch(edge))
  return { code, printed: edge.printed, complained: edge.complained }
}

describe('the command line', () => {
  for (const argv of [[], ['help'], ['--help'], ['-h']]) {
    test(`lists the commands when asked with "${argv.join(' ')}"`, async () => {
      const { code, printed, complained } = await run(...argv)
      assert.equal(code, null)
      assert.equal(complained, '')
      for (const { name, summary } of COMMANDS)
        assert(printed.includes(`  ${name}`) && printed.includes(summary))
      assert.match(printed, /^Nyro Gateway 1\.2\.3\n\nUsage: nyro COMMAND\n/)
    })
  }

  for (const argv of [['version'], ['--version'], ['-v']]) {
    test(`prints the version alone when asked with "${argv.join(' ')}"`, async () => {
      assert.deepEqual(await run(...argv), { code: null, printed: '1.2.3\n', complained: '' })
    })
  }

  for (const command of COMMANDS) {
    const { name } = command
    test(`explains ${name} instead of running it when --help follows`, async () => {
      for (const flag of ['--help', '-h']) {
        const { code, printed } = await run(...name.split(' '), flag)
        assert.equal(code, null)
        assert.equal(printed, helpText(command))
        assert(printed.startsWith(`Usage: nyro ${name}`) && printed.includes(command.description))
      }
    })
  }

  test('explains the command that stands behind help', async () => {
    const check = COMMANDS.find(({ name }) => name === 'check')
    assert(check !== undefined)
    assert.deepEqual(await run('help', 'check'), { code: null, printed: helpText(check), complained: '' })
    assert.deepEqual(await run('help', 'chekc'), {
      code: 2,
      printed: '',
      complained: 'nyro: no such command: "chekc"; did you mean check? nyro --help lists them\n',
    })
  })

  test('explains a name of two words wherever it is asked for, and lists what begins with the first', async () => {
    const mint = COMMANDS.find(({ name }) => name === 'token mint')
    assert(mint !== undefined)
    assert.equal((await run('help', 'token', 'mint')).printed, helpText(mint))
    for (const argv of [
      ['help', 'token'],
      ['token', '--help'],
    ]) {
      const { code, printed } = await run(...argv)
      assert.equal(code, null)
      assert.match(printed, /^Usage: nyro token COMMAND\n\n {2}token mint .*\n {2}token inspect .*\n$/)
    }
    assert.equal((await run('help', 'token', 'mnt')).code, 2)
  })

  test('refuses half a name with what may stand behind it', async () => {
    assert.deepEqual(await run('token'), {
      code: 2,
      printed: '',
      complained: 'nyro: token needs mint or inspect behind it. nyro token --help explains them\n',
    })
    assert.equal(
      (await run('token', 'mnt')).complained,
      'nyro: token needs mint or inspect behind it, found "mnt"; did you mean mint? nyro token --help explains them\n',
    )
  })

  test('takes a word that others begin with for itself', async () => {
    const { code, complained } = await run('revoke')
    assert.equal(code, 2)
    assert.match(
      complained,
      /^nyro: revoke needs exactly one of --jti, --subject and --tenant\. Usage: nyro revoke /,
    )
  })

  test('refuses an unknown command with the nearest one and status 2', async () => {
    assert.deepEqual(await run('strat'), {
      code: 2,
      printed: '',
      complained: 'nyro: no such command: "strat"; did you mean start? nyro --help lists them\n',
    })
  })

  for (const word of ['constructor', '--constructor', '__proto__', '']) {
    test(`refuses ${JSON.stringify(word)}`, async () => {
      const { code, complained } = await run(word)
      assert.equal(code, 2)
      assert(complained.startsWith(`nyro: no such command: ${JSON.stringify(word)};`))
    })
  }

  test('refuses a word with control characters on one line', async () => {
    const { complained } = await run('a\nb\u001b[2J\u009b2J')
    assert.match(complained, /^nyro: no such command: "a\uFFFDb\uFFFD\[2J\uFFFD2J"; [ -~]+\n$/)
  })

  for (const [argv, complaint] of [
    [['start', 'now'], 'start takes no such argument: "now". Usage: nyro start [--config FILE]'],
    [
      ['start', '--port=80'],
      'start has no option --port; did you mean --config? Usage: nyro start [--config FILE]',
    ],
    [['start', '-x'], 'start has no option -x; did you mean --config? Usage: nyro start [--config FILE]'],
    [['version', '--json'], 'version takes no options, found --json. Usage: nyro version'],
    [['check', '--jsn'], 'check has no option --jsn; did you mean --json? Usage: nyro check [FILE] [--json]'],
    [['check', '--json=yes'], 'check takes no value with --json. Usage: nyro check [FILE] [--json]'],
    [
      ['check', 'a.yaml', 'b.yaml'],
      'check takes at most 1 argument, found 2. Usage: nyro check [FILE] [--json]',
    ],
    [['diff', 'a.yaml'], 'diff needs AFTER. Usage: nyro diff BEFORE AFTER [--json]'],
    [
      ['completion', 'bush'],
      'completion takes no SHELL "bush"; did you mean bash? Usage: nyro completion bash|zsh|fish',
    ],
    [['completion'], 'completion needs SHELL: bash, zsh, fish. Usage: nyro completion bash|zsh|fish'],
    [
      ['start', '--config'],
      'start needs a value with --config: --config FILE, or --config=FILE. Usage: nyro start [--config FILE]',
    ],
    [
      ['start', '--config', '--json'],
      'start needs a value with --config: --config FILE, or --config=FILE. Usage: nyro start [--config FILE]',
    ],
    [
      ['start', '--config=a.yaml', '-c', 'b.yaml'],
      'start takes --config once. Usage: nyro start [--config FILE]',
    ],
  ] as const) {
    test(`refuses with usage and status 2: ${argv.join(' ')}`, async () => {
      assert.deepEqual(await run(...argv), { code: 2, printed: '', complained: `nyro: ${complaint}\n` })
    })
  }
})
