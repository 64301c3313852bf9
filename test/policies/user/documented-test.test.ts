import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { resolveProduct } from '../../../src/lib/product-module.ts'
import { loadUserPolicies } from '../../../src/policies/user/load-user-policies.ts'
import { exchangeOf, routeOwning } from '../../proxy/exchange-of.ts'
import { PolicyFolder, PolicyStage, routeUsing } from './policy-folder.ts'

const EXAMPLE = new URL('../../../examples/signed-assertion/sign-assertion.test.ts', import.meta.url)
const page = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8')

describe('docs/policies.md', () => {
  test('shows the test of the example as it is', () => {
    assert.ok(page.includes(`\`\`\`ts\n${readFileSync(EXAMPLE, 'utf8')}\`\`\`\n`))
  })

  test('shows a policy that does what it says', async () => {
    using folder = new PolicyFolder()
    using stage = new PolicyStage()
    const [, source = ''] = /```ts\n(.*?)```\n/s.exec(page) ?? []
    const use = folder.write('office-hours.ts', source.replace("'zod'", `'${import.meta.resolve('zod')}'`))
    const route = routeUsing('orders', { use, with: { opens: 8, closes: 18 } })
    const loaded = await loadUserPolicies([route], stage)
    assert.deepEqual(loaded.problems, [])
    const [policy] = loaded.policiesOf(route)
    const asked = exchangeOf(undefined, routeOwning(...loaded.owned))
    stage.time.nowMs = 9 * 3_600_000
    assert.equal(policy?.admit(asked), null)
    assert.equal(asked.asserted, 'X-Within-Hours: yes\r\n')
    stage.time.nowMs = 18 * 3_600_000
    const verdict = policy.admit(asked)
    assert.ok(verdict !== null && !(verdict instanceof Promise) && verdict.kind === 'failure')
    assert.deepEqual([verdict.code, verdict.detail], ['policy_refused', 'Closed.'])
  })
})

// Registers the example's own tests, for which nyro-gateway is this product as it is for a policy.
resolveProduct()
await import(EXAMPLE.href)
