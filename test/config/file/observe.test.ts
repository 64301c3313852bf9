import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { Config } from '../../../src/config/config.ts'
import { LOG_DEFAULTS } from '../../../src/config/default.ts'
import { configDifference } from '../../../src/config/difference.ts'
import { loadText, problemsOf } from './load-text.ts'

const REST = 'upstreams: { a: { endpoints: "http://a" } }\nroutes: [{ name: a, upstream: a, auth: none }]\n'

async function configOf(text: string, env: Readonly<Record<string, string>> = {}): Promise<Config> {
  const loaded = await loadText(`${text}\n${REST}`, { env })
  assert.ok(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
  return loaded.config
}

/** The first line of a file that must be refused. */
async function problemOf(text: string): Promise<string> {
  const problems = await problemsOf(`${text}\n${REST}`)
  assert.equal(problems.length, 1, problems.join('\n'))
  return problems[0] ?? ''
}

describe('the log section', () => {
  test('writes every line to standard output unless it says otherwise', async () => {
    assert.deepEqual((await configOf('log: {}')).log, { ...LOG_DEFAULTS, level: 'info' })
  })

  test('says where lines go and what they say', async () => {
    const { log } = await configOf(
      'log: { output: { file: logs/a.log }, fields: { add: { region: eu, agent: "header:User-Agent" }, ' +
        'redact: [path, path, subject] }, sampleSuccesses: 10%, slowerThan: 1s }',
    )
    assert.deepEqual(log, {
      level: 'info',
      access: true,
      output: { file: resolve('logs/a.log') },
      fields: {
        add: [
          { name: 'region', value: 'eu' },
          { name: 'agent', header: 'user-agent' },
        ],
        redact: ['path', 'subject'],
      },
      sampleSuccesses: 0.1,
      slowerThanMs: 1_000,
    })
  })

  for (const [text, problem] of [
    ['log: { output: stderr }', /log\.output is "stderr".*stdout/],
    ['log: { output: { path: a } }', /log\.output\.file|log\.output\.path/],
    [
      'log: { fields: { redact: [method] } }',
      /log\.fields\.redact\[0\] is "method"; expected one of client_ip/,
    ],
    [
      'log: { fields: { add: { status_code: x } } }',
      /add\.status_code is a field that access lines have already/,
    ],
    ['log: { fields: { add: { "a b": x } } }', /is no name for a field/],
    ['log: { fields: { add: { who: "header:Authorization" } } }', /add\.who .*never logged/],
    ['log: { fields: { add: { who: "header:a b" } } }', /no field name/],
    ['log: { sampleSuccesses: 0.1 }', /sampleSuccesses is 0\.1.*Write it in percent/],
    ['log: { slowerThan: 10 }', /slowerThan is 10.*no unit/],
  ] as const) {
    test(`is refused: ${text}`, async () => {
      const problems = await problemsOf(`${text}\n${REST}`)
      assert.match(problems.join('\n'), problem)
    })
  }

  test('does not log the field that API keys come in', async () => {
    const text =
      'identity: { apiKeys: { header: X-Key, file: keys.yaml } }\nlog: { fields: { add: { k: "header:x-key" } } }'
    const [problem = '', ...more] = await problemsOf(`${text}\n${REST}`, { files: { 'keys.yaml': '[]' } })
    assert.match(problem, /log\.fields\.add\.k names the field that API keys come in/)
    assert.deepEqual(more, [])
  })
})

describe('the tracing section', () => {
  test('is off unless it is there', async () => {
    assert.equal((await configOf('')).tracing, null)
  })

  test('keeps a hundredth, of a service of our name, unless it says otherwise', async () => {
    const { tracing } = await configOf('tracing: { endpoint: "http://collector:4318/v1/traces" }')
    assert.deepEqual(tracing, {
      endpoint: 'http://collector:4318/v1/traces',
      sample: 0.01,
      headers: [],
      serviceName: 'nyro-gateway',
    })
  })

  test('sends no field whose variable is not set', async () => {
    const text =
      'tracing: { endpoint: "https://c/v1/traces", headers: { Authorization: "${TOKEN}", X-Unset: "${UNSET:-}" } }'
    const { tracing } = await configOf(text, { TOKEN: 'Bearer one-that-is-secret' })
    assert.deepEqual(tracing?.headers, [{ name: 'Authorization', value: 'Bearer one-that-is-secret' }])
  })

  for (const [text, problem] of [
    ['tracing: {}', /tracing\.endpoint is missing/],
    [
      'tracing: { endpoint: "http://c:4318" }',
      /tracing\.endpoint .*path is missing: most collectors take \/v1\/traces/,
    ],
    ['tracing: { endpoint: "http://me:secret@c/v1/traces" }', /tracing\.headers/],
    ['tracing: { endpoint: "grpc://c/v1/traces" }', /an http:\/\/ or https:\/\/ URL/],
    ['tracing: { endpoint: "http://c/v1/traces?key=secret" }', /tracing\.endpoint/],
    ['tracing: { endpoint: "http://c/v1/traces", sample: 2 }', /sample is 2.*percent/],
    [
      'tracing: { endpoint: "http://c/v1/traces", headers: { Host: a } }',
      /headers\.Host is no field that can be sent/,
    ],
    [
      'tracing: { endpoint: "http://c/v1/traces", headers: { X-A: "a\\r\\nX-B: b" } }',
      /headers\.X-A .*cannot stand in a field/,
    ],
  ] as const) {
    test(`is refused: ${text}`, async () => {
      assert.match(await problemOf(text), problem)
    })
  }

  test('takes trace fields from routes, which could otherwise state their own', async () => {
    const route =
      'routes: [{ name: a, upstream: a, auth: none, headers: { request: { set: { Trace_Parent: x, TraceParent: x } } } }]'
    const upstreams = 'upstreams: { a: { endpoints: "http://a" } }\n'
    const tracing = 'tracing: { endpoint: "http://c/v1/traces" }\n'
    const problems = await problemsOf(`${tracing}${upstreams}${route}`)
    assert.match(problems.join('\n'), /TraceParent names a field that the gateway owns/)
    const without = await loadText(`${upstreams}${route.replace('Trace_Parent: x, ', '')}`, { env: {} })
    assert.ok(without.config !== null)
  })

  test('shows no secret in what a reload changes', async () => {
    const before = await configOf('')
    const after = await configOf(
      'tracing: { endpoint: "http://c/v1/traces", headers: { Authorization: "${TOKEN}" } }\n' +
        'log: { fields: { add: { key: "${TOKEN}" } } }',
      { TOKEN: 'one-that-is-secret' },
    )
    for (const [old, recent] of [
      [before, after],
      [after, before],
    ] as const) {
      const words = configDifference(old, recent).map((difference) => difference.words)
      assert.ok(
        words.some((line) => line.startsWith('tracing')),
        words.join('\n'),
      )
      assert.ok(!words.join().includes('one-that-is-secret'), words.join('\n'))
    }
  })

  test('says that another output waits for a restart', async () => {
    const before = await configOf('')
    const after = await configOf('log: { output: { file: a.log } }')
    const [change] = configDifference(before, after)
    assert.deepEqual([change?.path, change?.needsRestart], ['log.output', true])
    const other = await configOf('log: { output: { file: b.log } }')
    assert.ok(configDifference(after, other).every(({ needsRestart }) => needsRestart))
  })
})
