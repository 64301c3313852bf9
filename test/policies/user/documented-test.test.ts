import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { resolveProduct } from '../../../src/lib/product-module.ts'

const EXAMPLE = new URL('../../../examples/signed-assertion/sign-assertion.test.ts', import.meta.url)
const PAGE = new URL('../../../docs/policies.md', import.meta.url)

test('the test of a policy that docs/policies.md shows is that of the example', () => {
  assert.ok(readFileSync(PAGE, 'utf8').includes(`\`\`\`ts\n${readFileSync(EXAMPLE, 'utf8')}\`\`\`\n`))
})

// Registers the example's own tests, for which nyro-gateway is this product as it is for a policy.
resolveProduct()
await import(EXAMPLE.href)
