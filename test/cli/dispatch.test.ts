import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { COMMANDS } from '../../src/cli/command.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
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

  for (const { name, description } of COMMANDS) {
    test(`explains ${name} instead of running it when --help follows`, async () => {
      for (const flag of ['--help', '-h']) {
        const { code, printed } = await run(name, flag)
        assert.equal(code, null)
        assert.equal(printed, `Usage: nyro ${name}\n\n${description}\n`)
      }
    })
  }

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

  for (const argv of [
    ['start', 'now'],
    ['start', '--port=80'],
    ['version', 'x'],
  ]) {
    test(`refuses arguments: ${argv.join(' ')}`, async () => {
      assert.deepEqual(await run(...argv), {
        code: 2,
        printed: '',
        complained: `nyro: ${argv[0]} takes no arguments; settings are GATEWAY_* variables\n`,
      })
    })
  }
})
