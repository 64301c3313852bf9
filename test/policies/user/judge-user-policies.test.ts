import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type JudgedPolicies, judgeUserPolicies } from '../../../src/policies/user/judge-user-policies.ts'
import { changedPolicyFiles } from '../../../src/policies/user/policy-file.ts'
import { PolicyFolder, routeUsing } from './policy-folder.ts'

const folder = new PolicyFolder()
after(() => folder[Symbol.dispose]())

function judged(use: string, options: unknown = null, limitMs?: number): Promise<JudgedPolicies> {
  return judgeUserPolicies([routeUsing('orders', { use, with: options })], 'X-Company-ID', limitMs)
}

describe('the judgement before a config is in force', () => {
  test('starts no thread where no route names a policy', async () => {
    assert.deepEqual(await judgeUserPolicies([routeUsing('orders')], 'X-Company-ID'), {
      problems: [],
      owned: [],
      files: [],
    })
  })

  test('gives what data threads would find, and never runs the code in this thread', async () => {
    const use = folder.write(
      'marks.ts',
      "import { definePolicy } from 'nyro-gateway'",
      'Object.assign(globalThis, { isMarked: true })',
      "export const policy = definePolicy({ kind: 'marks', owns: ['X-Own'], create: () => ({ admit: () => null }) })",
    )
    const { problems, owned } = await judged(use)
    assert.deepEqual([problems, owned], [[], ['x-own']])
    assert.equal('isMarked' in globalThis, false)
    assert.match((await judged(use, { a: 1 })).problems[0]?.text ?? '', /takes none/)
  })

  test('tells of code that ends the thread, fails behind its back, or does not end', async () => {
    const cases: readonly [string, RegExp][] = [
      ['process.exit(0)', /could not be judged: their code ended the thread/],
      ["setImmediate(() => { throw new Error('no luck') }); await new Promise(() => {})", /Error: no luck/],
      ['for (;;);', /longer than 300 ms/],
      ['await new Promise(() => { setInterval(() => {}, 1_000) })', /longer than 300 ms/],
    ]
    for (const [at, [code, told]] of cases.entries()) {
      const use = folder.write(`hostile-${at}.ts`, 'export {}', code)
      const { problems } = await judged(
        use,
        null,
        code.includes('process') || code.includes('luck') ? 10_000 : 300,
      )
      assert.match(problems[0]?.text ?? '', told)
      assert.equal(problems[0]?.route, 'orders')
    }
  })

  test('names every file of the policy by its content, so that a change of code is seen', async () => {
    const part = folder.write('part.ts', 'export const detail = 1')
    const use = folder.write(
      'whole.ts',
      "import { detail } from './part.ts'",
      `import { z } from '${import.meta.resolve('zod')}'`,
      "export const policy = { kind: 'whole', create: () => ({ admit: () => (z === null || detail === 0 ? null : null) }) }",
    )
    const before = (await judged(use)).files
    assert.deepEqual(
      before.map(({ path }) => path),
      [part, use],
    )
    assert.deepEqual(changedPolicyFiles(before, (await judged(use)).files), [])
    folder.write('part.ts', 'export const detail = 2')
    assert.deepEqual(changedPolicyFiles(before, (await judged(use)).files), [part])
    assert.deepEqual(changedPolicyFiles([], before), [])
  })
})
