import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { optionValue, parseArguments } from '../../src/cli/arguments.ts'
import type { Command } from '../../src/cli/command.ts'
import { helpText, usageOf } from '../../src/cli/help.ts'

const EXPLAIN: Command = {
  name: 'explain',
  summary: '',
  description: 'Explains.',
  operands: [
    { name: 'METHOD', need: 'required', choices: null },
    { name: 'URL', need: 'required', choices: null },
    { name: 'FILE', need: 'optional', choices: null },
  ],
  options: [
    { name: 'field', short: 'H', value: 'FIELD', use: 'repeated', meaning: 'a field of the request' },
    { name: 'token', short: null, value: 'TOKEN', use: 'once', meaning: 'a token' },
    { name: 'json', short: 'j', value: null, use: 'once', meaning: 'print JSON' },
  ],
  load: async () => () => {},
}

function given(...words: readonly string[]): { operands: readonly string[]; options: object } {
  const parsed = parseArguments(EXPLAIN, words)
  assert(parsed.kind === 'run', JSON.stringify(parsed))
  return { operands: parsed.given.operands, options: Object.fromEntries(parsed.given.options) }
}

function fault(...words: readonly string[]): string {
  const parsed = parseArguments(EXPLAIN, words)
  assert(parsed.kind === 'misuse', JSON.stringify(parsed))
  return parsed.fault
}

describe('the arguments of a command', () => {
  test('come in any order, in long and short forms', () => {
    const expected = {
      operands: ['GET', '/a'],
      options: { field: ['X-A: 1', 'X-B: 2'], token: ['t'], json: [''] },
    }
    assert.deepEqual(given('GET', '/a', '-H', 'X-A: 1', '--field=X-B: 2', '--token', 't', '--json'), expected)
    assert.deepEqual(given('-j', '-HX-A: 1', '--token=t', 'GET', '--field', 'X-B: 2', '/a'), expected)
  })

  test('may look like options behind --, and be a lone dash', () => {
    assert.deepEqual(given('--', '--json', '-x'), { operands: ['--json', '-x'], options: {} })
    assert.deepEqual(given('GET', '/a', '--token', '-'), {
      operands: ['GET', '/a'],
      options: { token: ['-'] },
    })
    assert.deepEqual(given('GET', '/a', '--token=-x').options, { token: ['-x'] })
  })

  test('yield the value of an option, or null', () => {
    const parsed = parseArguments(EXPLAIN, ['GET', '/a', '--token', 't'])
    assert(parsed.kind === 'run')
    assert.equal(optionValue(parsed.given, 'token'), 't')
    assert.equal(optionValue(parsed.given, 'field'), null)
  })

  test('ask for help wherever --help or -h stands, but not behind -- or as a value', () => {
    assert.equal(parseArguments(EXPLAIN, ['--help']).kind, 'help')
    assert.equal(parseArguments(EXPLAIN, ['GET', '--token=t', '-h']).kind, 'help')
    assert.equal(parseArguments(EXPLAIN, ['--', '--help', '/a']).kind, 'run')
    assert.equal(parseArguments(EXPLAIN, ['GET', '/a', '--token=--help']).kind, 'run')
  })

  test('are refused with the nearest option, and without repeating what may steer a terminal', () => {
    assert.equal(fault('GET', '/a', '--tokne', 't'), 'has no option --tokne; did you mean --token?')
    assert.equal(fault('GET', '/a', '--constructor'), 'has no option --constructor; did you mean --json?')
    assert.equal(fault('GET', '/a', '--js\u001b[2J'), 'has no option --js\uFFFD[2J; did you mean --json?')
    assert.equal(fault('GET', '/a', '--token'), 'needs a value with --token: --token TOKEN, or --token=TOKEN')
    assert.equal(fault('GET', '/a', '--token', '--json'), fault('GET', '/a', '--token'))
    assert.equal(fault('GET', '/a', '--token='), fault('GET', '/a', '--token'))
    assert.equal(fault('GET', '/a', '--json=1'), 'takes no value with --json')
    assert.equal(fault('GET', '/a', '--token', 'a', '--token', 'b'), 'takes --token once')
    assert.equal(fault('GET', '/a', '-jj'), 'takes --json once')
    assert.equal(fault('GET'), 'needs URL')
    assert.equal(fault('GET', '/a', 'b', 'c'), 'takes at most 3 arguments, found 4')
  })

  test('are shown in the usage and the help', () => {
    assert.equal(
      usageOf(EXPLAIN),
      'nyro explain METHOD URL [FILE] [--field FIELD …] [--token TOKEN] [--json]',
    )
    assert.match(helpText(EXPLAIN), /\nOptions:\n {2}-H, --field FIELD … {2}a field of the request\n/)
  })
})
