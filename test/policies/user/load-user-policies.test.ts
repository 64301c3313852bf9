import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { loadUserPolicies, type PolicyRoute } from '../../../src/policies/user/load-user-policies.ts'
import { describePolicyProblem } from '../../../src/policies/user/policy-problem.ts'
import { failure } from '../../../src/proxy/failure.ts'
import { exchangeOf } from '../../proxy/exchange-of.ts'
import { PolicyFolder, PolicyStage, routeUsing } from './policy-folder.ts'

const folder = new PolicyFolder()
const stage = new PolicyStage()
after(() => {
  folder[Symbol.dispose]()
  stage[Symbol.dispose]()
})

async function problemsOf(...routes: readonly PolicyRoute[]): Promise<readonly string[]> {
  const { problems } = await loadUserPolicies(routes, stage)
  return problems.map(describePolicyProblem)
}

async function problemOf(use: string, options: unknown = null): Promise<string> {
  const problems = await problemsOf(routeUsing('orders', { use, with: options }))
  assert.equal(problems.length, 1, problems.join('\n'))
  return problems[0] ?? ''
}

describe('the policies of a snapshot', () => {
  test('are none, at no cost, where no route names one', async () => {
    const loaded = await loadUserPolicies([routeUsing('orders')], stage)
    assert.deepEqual([loaded.problems, [...loaded.owned]], [[], []])
    assert.equal(loaded.policiesOf(routeUsing('a')), loaded.policiesOf(routeUsing('b')))
  })

  test('are imported with nyro-gateway meaning the running product', async () => {
    const use = folder.policy('product.ts', "kind: 'product'", "refuse('by the product')")
    const route = routeUsing('orders', { use, with: null })
    const loaded = await loadUserPolicies([route], stage)
    assert.deepEqual(loaded.problems, [])
    const [policy] = loaded.policiesOf(route)
    assert.deepEqual(policy?.admit(exchangeOf()), failure('policy_refused', { detail: 'by the product' }))
  })

  test('are asked in the order of the route, and made once for each use with its options', async () => {
    const use = folder.policy('counted.ts', "kind: 'counted', schema: (given) => given")
    const first = routeUsing('first', { use, with: { a: 1 } }, { use, with: { a: 2 } })
    const second = routeUsing('second', { use, with: { a: 2 } })
    const loaded = await loadUserPolicies([first, second], stage)
    const [one, two] = loaded.policiesOf(first)
    assert.notEqual(one, two)
    assert.deepEqual(loaded.policiesOf(second), [two])
    const again = await loadUserPolicies([first], stage)
    assert.notEqual(again.policiesOf(first)[0], one)
    assert.throws(() => loaded.policiesOf(routeUsing('third', { use, with: { a: 3 } })), /third/)
  })

  test('own what they name, for every route', async () => {
    const use = folder.policy('owner.ts', "kind: 'owner', owns: ['X-Identity-Assertion']")
    const { owned, problems } = await loadUserPolicies([routeUsing('orders', { use, with: null })], stage)
    assert.deepEqual([[...owned], problems], [['x-identity-assertion'], []])
  })

  test('are given what their schema makes of their options, and {} for none', async () => {
    const use = folder.write(
      'schema.mjs',
      'export const policy = {',
      "  kind: 'schema',",
      "  schema: { '~standard': { version: 1, vendor: 'test', validate: async (given) => ({ value: { ...given, added: 1 } }) } },",
      "  create: (options, { log }) => (log('info', 'made', options), { admit: () => null }),",
      '}',
    )
    stage.lines.length = 0
    const route = routeUsing('orders', { use, with: { own: 2 } }, { use, with: null })
    assert.deepEqual(await problemsOf(route), [])
    assert.deepEqual(
      stage.lines.map(({ fields }) => fields),
      [
        { own: 2, added: 1, policy: 'schema' },
        { added: 1, policy: 'schema' },
      ],
    )
  })
})

test('what a policy logs is of its kind, and has no key that every line has already', async () => {
  const use = folder.write(
    'logs.mjs',
    "export const policy = { kind: 'logs', create(_, { log }) {",
    "  log('info', 'a\\nb', { level: 'x', policy: 'other', n: 1, flag: true, none: null, deep: {}, gone: undefined })",
    '  return { admit: () => null }',
    '} }',
  )
  stage.lines.length = 0
  assert.deepEqual(await problemsOf(routeUsing('orders', { use, with: null })), [])
  const fields = {
    level_: 'x',
    n: 1,
    flag: true,
    none: null,
    deep: '[object Object]',
    gone: 'undefined',
    policy: 'logs',
  }
  assert.deepEqual(stage.lines, [{ level: 'info', event: 'a b', fields }])
})

describe('a policy file', () => {
  test('that cannot be parsed is named with its line', async () => {
    const use = folder.write('syntax.ts', 'export const a = 1', 'export const policy: = {')
    assert.match(
      await problemOf(use),
      /^routes\.orders\.policies\[0\]\.use: the file .*syntax\.ts cannot be loaded at line 2: SyntaxError/,
    )
  })

  test('that throws while it is imported is named with its line', async () => {
    const use = folder.write('throws.ts', 'export const a: number = 1', '', "throw new Error('no luck')")
    assert.match(
      await problemOf(use),
      /throws\.ts cannot be loaded at line 3: Error: no luck; expected a module/,
    )
  })

  test('whose own import fails is named with the place in that one', async () => {
    const broken = folder.write('broken.ts', 'export const a = (', '')
    const use = folder.write('importer.ts', "import './broken.ts'", 'export const policy = null')
    assert.ok((await problemOf(use)).includes(`importer.ts cannot be loaded at ${broken}:`))
  })

  test('that is not there is told', async () => {
    assert.match(
      await problemOf('/nowhere/policy.ts'),
      /use: there is no file \/nowhere\/policy\.ts; expected/,
    )
  })

  test('without a policy, or with one of another shape, is told all that is wrong', async () => {
    assert.match(await problemOf(folder.write('none.ts', 'export const a = 1')), /no export named policy/)
    assert.match(await problemOf(folder.write('text.ts', "export const policy = 'a'")), /is no object/)
    const use = folder.write(
      'shape.ts',
      "export const policy = { kind: 'No Kind', schema: 1, timeoutMs: 0, owns: 'x' }",
    )
    const problems = await problemsOf(routeUsing('orders', { use, with: null }))
    assert.equal(problems.length, 5)
    for (const word of ['kind', 'create', 'schema', 'timeoutMs', 'owns'])
      assert.ok(
        problems.some((problem) => problem.includes(`its ${word} `)),
        word,
      )
  })

  test('is told of once, however many routes name it', async () => {
    const use = folder.write('once.ts', 'export const a = 1')
    const routes = ['a', 'b'].map((name) => routeUsing(name, { use, with: name }))
    assert.equal((await problemsOf(...routes)).length, 1)
  })

  test('whose create throws or gives no policy is refused', async () => {
    const throws = folder.write(
      'create.ts',
      "export const policy = { kind: 'c', create() { throw new Error('no luck') } }",
    )
    assert.match(await problemOf(throws), /its create failed: no luck; expected/)
    const nothing = folder.write(
      'nothing.ts',
      "export const policy = { kind: 'c', create() { return { admit: 1 } } }",
    )
    assert.match(await problemOf(nothing), /its create gave no policy/)
  })
})

describe('the fields a policy owns', () => {
  // The attack: a policy that owns what the gateway states puts a second X-Company-ID behind the verified one, or takes
  // Authorization from every route. Aliases fold to the same name upstream.
  test('are none that the gateway states or that mean something on every route', async () => {
    const names = [
      ...['X-Company-ID', 'x_company.id', 'X-Request-ID', 'X-Forwarded-For', 'Forwarded', 'Connection', 'Te'],
      ...[
        'Transfer-Encoding',
        'Content-Length',
        'Content-Type',
        'Host',
        'Authorization',
        'Cookie',
        'Via',
        'Expect',
      ],
    ]
    for (const [at, name] of names.entries()) {
      const use = folder.policy(`reserved-${at}.ts`, `kind: 'r', owns: ['${name}']`)
      assert.ok((await problemOf(use)).includes(`lists ${name}, which the gateway states itself`), name)
    }
  })

  test('are field names', async () => {
    const use = folder.policy('names.ts', "kind: 'n', owns: ['X-A\\r\\nX-B', 'a b', '']")
    assert.equal((await problemsOf(routeUsing('orders', { use, with: null }))).length, 3)
  })

  test('have one owner on a route, whatever the spelling', async () => {
    const one = folder.policy('one.ts', "kind: 'one', owns: ['X-Own']")
    const two = folder.policy('two.ts', "kind: 'two', owns: ['x_own']")
    const [a, b] = [one, two].map((use) => ({ use, with: null }))
    assert.ok(a !== undefined && b !== undefined)
    assert.deepEqual(await problemsOf(routeUsing('a', a), routeUsing('b', b)), [])
    assert.deepEqual(await problemsOf(routeUsing('both', a, b)), [
      'routes.both.policies[1].use: two owns x_own, which one of the same route owns; expected one owner: leave one of the two out',
    ])
  })
})

describe('the options of a policy', () => {
  test('are refused where it takes none', async () => {
    const use = folder.policy('optionless.ts', "kind: 'optionless'")
    assert.match(await problemOf(use, {}), /\.with: is given, but the policy optionless takes none/)
  })

  test('that its schema refuses are named by path', async () => {
    const zod = import.meta.resolve('zod')
    const use = folder.write(
      'zod.ts',
      `import { z } from '${zod}'`,
      "import { definePolicy } from 'nyro-gateway'",
      'const schema = z.strictObject({ key: z.string(), lists: z.array(z.object({ ageS: z.number() })) })',
      "export const policy = definePolicy({ kind: 'z', schema, create: ({ key }) => ({ admit: () => (key === '' ? null : null) }) })",
    )
    const problems = await problemsOf(
      routeUsing('orders', { use, with: { lists: [{ ageS: '5' }], kye: 'a' } }),
    )
    assert.deepEqual(problems, [
      'routes.orders.policies[0].with.key: is refused by the schema of z: Invalid input: expected string, received undefined',
      'routes.orders.policies[0].with.lists.0.ageS: is refused by the schema of z: Invalid input: expected number, received string',
      'routes.orders.policies[0].with: is refused by the schema of z: Unrecognized key: "kye"',
    ])
  })

  test("that are wrong are told of in the schema's words, also where those resemble what was found", async () => {
    const use = folder.policy(
      'resembling.ts',
      "kind: 'resembling', schema: () => { throw new Error('rule is neither open nor closed, ttlS is not above 0') }",
    )
    assert.match(await problemOf(use, { rule: 'closd', other: 'opened', ttlS: 0 }), /neither open nor closed/)
    for (const told of [{ rule: 'OPEN' }, { deep: [{ rule: 'closed' }] }])
      assert.match(await problemOf(use, told), /it quotes a value/)
  })

  // The leak: libraries say what they found (valibot: Expected number but received "…"), whole, cut or escaped.
  test('are never shown, whatever the schema says of them', async () => {
    const secret = 'hunter2"\\secret'
    const bodies = [
      '(given) => { throw new Error("got " + given.key) }',
      '(given) => { throw new Error("got " + JSON.stringify(given)) }',
      '(given) => { throw new Error("got " + given.key.slice(0, 10) + "…") }',
      '(given) => { throw given.key.toUpperCase() }',
      "{ '~standard': { version: 1, vendor: 'x', validate: (given) => ({ issues: [{ message: given.key }] }) } }",
    ]
    for (const [at, schema] of bodies.entries()) {
      const use = folder.policy(`leak-${at}.ts`, `kind: 'leak', schema: ${schema}`)
      const problem = await problemOf(use, { key: secret })
      assert.doesNotMatch(problem, /hunt|secr/i)
      assert.match(problem, /it quotes a value/)
    }
  })
})
