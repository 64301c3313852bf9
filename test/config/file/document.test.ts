import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadText, problemsOf } from './load-text.ts'

const GOOD = 'upstreams: { a: { endpoints: "http://a" } }\nroutes: [{ name: a, upstream: a, auth: none }]\n'

describe('a YAML file', () => {
  const broken: readonly (readonly [string, string, string])[] = [
    [
      'an unquoted reference in a flow map',
      'a: 1\nstore: { redis: ${REDIS_URL} }\n',
      'nyro.yaml:2:18 Something stands here that does not belong here. Inside { } and [ ], put ${…} in quotes: "${NAME}".',
    ],
    [
      'an unquoted reference in a flow list',
      'routes: [${X}]',
      'nyro.yaml:1:11 A comma, colon, bracket or closing quote is missing. Inside { } and [ ], put ${…} in quotes: "${NAME}".',
    ],
    ['a tab that indents', 'routes:\n\t- a', 'nyro.yaml:2:1 A tab indents. Use spaces.'],
    [
      'a value with a colon and a blank',
      'name: a: b',
      'nyro.yaml:1:7 A value with ": " in it, or a nested mapping on one line. Put the value in quotes.',
    ],
    [
      'a quote that is not closed',
      'name: "s3cr3t',
      'nyro.yaml:1:14 A comma, colon, bracket or closing quote is missing.',
    ],
    [
      'a bracket that is not closed',
      'listen: { host: s3cr3t',
      'nyro.yaml:1:23 The indentation does not fit what is around it, or a bracket is not closed.',
    ],
    [
      'indentation that fits nothing',
      'listen:\n  port: 1\n host: s3cr3t',
      'nyro.yaml:3:1 The indentation does not fit what is around it, or a bracket is not closed.',
    ],
    [
      'an alias of nothing',
      'routes: *s3cr3t',
      'nyro.yaml:1:9 An alias (*name) names no anchor (&name) before it.',
    ],
    [
      'a value that begins with @',
      'name: @s3cr3t',
      'nyro.yaml:1:7 A value cannot begin with this character. Put it in quotes.',
    ],
    [
      'a second document',
      '---\nname: a\n---\nname: b',
      'nyro.yaml:3:1 A second document (---) begins. Keep one configuration in a file.',
    ],
    ['a list as a key', '? [a]\n: 1', 'nyro.yaml:1:3 A key is no text. Put it in quotes.'],
    ['nothing', '# only a remark\n', 'nyro.yaml is empty; expected `upstreams` and `routes`. Add them.'],
  ]
  for (const [what, text, line] of broken) {
    test(`with ${what} is refused with its place, and with none of its text`, async () => {
      const problems = await problemsOf(text)
      assert.deepEqual(problems, [line])
      assert.ok(!problems.join('').includes('s3cr3t'))
    })
  }

  // The attack: a few thousand brackets end the process by its stack.
  test('with nesting without end is refused with its place', async () => {
    for (const text of ['['.repeat(5_000), '- '.repeat(5_000), '{a: '.repeat(5_000)]) {
      const problems = await problemsOf(text)
      assert.equal(problems.length, 1)
      assert.match(problems[0] ?? '', /^nyro\.yaml:1:\d+ It is nested deeper than a configuration can be\.$/)
    }
  })

  test('with a doubled key or a tag is judged all the same, so that everything is said at once', async () => {
    assert.deepEqual(await problemsOf(`${GOOD}name: a\nname: b\nworkers: !big 0\ndocs: maybe\n`), [
      'nyro.yaml:4:1 The key stands here for the second time. Remove one of the two.',
      'nyro.yaml:5:10 Tags (!name) are not taken. Remove it.',
      'nyro.yaml:5:15 workers is "0"; expected a whole number from 1 to 1024. Correct it.',
      'nyro.yaml:6:7 docs is "maybe"; expected true or false. Correct it.',
    ])
  })

  test('that is a list or a text is no configuration', async () => {
    const [problem] = await problemsOf('- a')
    assert.match(problem ?? '', /^nyro\.yaml:1:1 is a list; expected an object with \$schema, name, /)
  })

  test('may use one anchor in many places', async () => {
    const routes = Array.from(
      { length: 500 },
      (_, index) =>
        `  - { name: r${index}, match: { path: /${index} }, upstream: a, auth: none, timeouts: *patient }`,
    )
    const loaded = await loadText(
      `upstreams: { a: { endpoints: "http://a", timeouts: &patient { head: 7s } } }\nroutes:\n${routes.join('\n')}\n`,
    )
    assert.ok(loaded.config !== null)
    assert.ok(loaded.config.routes.every(({ timeouts }) => timeouts.headMs === 7_000))
  })

  // The attack: a kilobyte of aliases of aliases fills the memory of whoever follows them.
  test('of aliases of aliases is refused before it fills the memory', async () => {
    const levels = Array.from({ length: 12 }, (_, index) => {
      const below = index === 0 ? 'x' : `*l${index - 1}`
      return `- &l${index} [${Array.from({ length: 9 }, () => below).join(', ')}]`
    })
    const problems = await problemsOf(`${GOOD}trustedProxies:\n${levels.join('\n')}\n`)
    assert.ok(problems.some((problem) => problem.includes('deeper or larger than a configuration can be')))
  })

  test('with an alias of what encloses it is refused', async () => {
    const problems = await problemsOf(`${GOOD}trustedProxies: &a [*a]\n`)
    assert.ok(problems.some((problem) => problem.includes('deeper or larger than a configuration can be')))
  })

  test('tells the place of what an alias or a merge brings in', async () => {
    const text = [
      'upstreams:',
      '  a: &a { endpoints: "http://a", slowStart: 5 }',
      '  b:',
      '    <<: *a',
      '    hostHeader: keep',
      'routes: [{ name: a, auth: none, upstream: { a: 1, b: 1 } }]',
    ].join('\n')
    const places = (await problemsOf(text)).map((problem) => problem.split(' ').slice(0, 2).join(' '))
    assert.deepEqual(places, ['nyro.yaml:2:45 upstreams.a.slowStart', 'nyro.yaml:2:45 upstreams.b.slowStart'])
  })
})

describe('a JSON file', () => {
  const name = 'nyro.json'

  test('is read by the grammar of JSON alone', async () => {
    const [problem] = await problemsOf('{"name": "s3cr3t",\n  name: 1}', { name })
    assert.equal(problem, 'nyro.json:2:3 It is not JSON (RFC 8259).')
  })

  test('has places, tabs and all', async () => {
    const text =
      '{\n\t"upstreams": {"a": {"endpoints": "http://a"}},\n\t"routes": [{"name": "a", "upstream": "b", "auth": "none"}]\n}'
    assert.deepEqual(await problemsOf(text, { name }), [
      'nyro.json:3:39 routes[0].upstream names "b", which is not an upstream; expected a name under `upstreams`. The nearest is a.',
    ])
  })

  test('must not have a key twice, of which JSON.parse would take the last', async () => {
    const text = '{"name": "a",\n "name": "b"}'
    assert.deepEqual(await problemsOf(text, { name }), [
      'nyro.json:2:2 The key stands here for the second time. Remove one of the two.',
    ])
  })
})

describe('a file', () => {
  test('that cannot be read is no bad setting: exit 1', async () => {
    const loaded = await loadText(GOOD, {
      readFile: () => {
        throw Object.assign(new Error('no'), { code: 'EACCES' })
      },
    })
    assert.ok(loaded.config === null)
    assert.deepEqual(
      [loaded.exitCode, loaded.problems],
      [1, ['nyro.yaml cannot be read: permission denied. Put it there, or correct the path.']],
    )
  })

  test('of which only a secret file cannot be read is no bad setting either', async () => {
    const loaded = await loadText(`${GOOD}admin: { token: "\${file:/run/gone}" }`)
    assert.ok(loaded.config === null)
    assert.equal(loaded.exitCode, 1)
    assert.equal(loaded.problems.length, 1)
    assert.ok(loaded.files.includes('/run/gone'))
  })

  test('is told by its ending, and is UTF-8', async () => {
    assert.deepEqual(await problemsOf(GOOD, { name: 'nyro.toml' }), [
      'nyro.toml has no known ending; expected .yaml, .yml or .json. Rename it.',
    ])
    assert.deepEqual(await problemsOf(GOOD, { readFile: () => Uint8Array.of(0xff) }), [
      'nyro.yaml is not UTF-8. Save it as such.',
    ])
  })
})
