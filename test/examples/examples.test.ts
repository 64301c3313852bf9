import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ROOT } from '../budgets/tree.ts'
import { ExampleRun } from './example-run.ts'
import { lackOf, parseReadme } from './readme.ts'

const FOLDER = join(ROOT, 'examples')
const NAMES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

// Side by side: they wait more than they work.
describe('the examples', { concurrency: true }, () => {
  for (const name of NAMES) {
    test(`${name} answers as its README says`, async () => {
      using run = await ExampleRun.prepare(name)
      assert.ok(run.readme.steps.length > 2, `${run.readme.steps.length} steps`)
      // `, 1 note` would stand there as well.
      const check = `bin/nyro check examples/${name}/nyro.yaml\n`
      const steps = [{ commands: check, status: null, pieces: ['is good\n'] }, ...run.readme.steps]
      const answers = await run.answers(steps)
      const faults = steps.flatMap((step, index) => {
        const lack = lackOf(step, answers[index] ?? '')
        return lack === null ? [] : [`lacks ${lack}:\n${step.commands}${answers[index]}`]
      })
      assert.deepEqual(faults, [])
    })
  }

  test('are all told of, and have what it takes', () => {
    const list = readFileSync(join(FOLDER, 'README.md'), 'utf8')
    assert.deepEqual(
      [...list.matchAll(/^\| \[([\w-]+)\]/gm)].map(([, name]) => name).sort(),
      NAMES.toSorted(),
    )
    for (const name of NAMES) assert.ok(existsSync(join(FOLDER, name, 'nyro.yaml')), name)
  })
})

describe('what a README says of its lines', () => {
  const text = [
    '```sh',
    'start &',
    '```',
    'Then:',
    '```sh',
    'A=1',
    'curl -si $A',
    '# 200 X: 1 … "b":2',
    '```',
    '',
  ].join('\n')
  const [step = null, ...others] = parseReadme(text).steps

  test('is read', () => {
    assert.equal(parseReadme(text).setup, 'start &\n')
    assert.deepEqual(step, { commands: 'A=1\ncurl -si $A\n', status: '200', pieces: ['X: 1', '"b":2'] })
    assert.deepEqual(others, [])
    const printed = parseReadme('```sh\n```\n```sh\nflood\n# 503 200\n```\n').steps[0]
    assert.deepEqual([printed?.status, printed?.pieces], [null, ['503 200']])
  })

  test('is asked of every line', () => {
    assert.throws(() => parseReadme(text.replace('# 200', '#200')), /says not what it answers/)
  })

  test('is not fulfilled by another status, another text or another order', () => {
    assert.ok(step !== null)
    assert.equal(lackOf(step, 'HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nX: 1\n\n{"a":1,"b":2}'), null)
    assert.equal(lackOf(step, 'HTTP/1.1 403 Forbidden\nX: 1\n\n{"b":2}'), 'status 200, not 403')
    assert.equal(lackOf(step, ''), 'status 200, not none')
    assert.equal(lackOf(step, 'HTTP/1.1 200 OK\nX: 1\n\n{"b":3}'), '"b":2')
    assert.equal(lackOf(step, 'HTTP/1.1 200 OK\n\n{"b":2}\nX: 1'), '"b":2')
  })
})
