import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { definePolicy, type PolicyParts } from '../../../src/index.ts'

const parts: PolicyParts = { nowMs: () => 0, wallMs: () => 0, log: () => {} }

test('a policy is typed by its schema: a Standard Schema, a function, or none', async () => {
  const standard = definePolicy({
    kind: 'standard',
    schema: z.strictObject({ opens: z.number().default(8), day: z.coerce.string() }),
    create: ({ opens, day }) => {
      const typed: readonly [number, string] = [opens, day]
      // @ts-expect-error: what the schema yields is a number
      const mistyped: string = opens
      return { admit: () => (typed[0] === Number(mistyped) ? null : { verdict: 'refuse', detail: null }) }
    },
  })
  const byFunction = definePolicy({
    kind: 'function',
    schema: (given) => Number(given),
    create: (count) => ({ admit: () => (count.toFixed() === '1' ? null : null) }),
  })
  const without = definePolicy({ kind: 'none', create: (options) => ({ admit: () => options }) })
  // What the policies do not look at may be missing.
  const exchange = {} as Parameters<Awaited<ReturnType<typeof without.create>>['admit']>[0]
  assert.equal((await standard.create({ opens: 8, day: '1' }, parts)).admit(exchange), null)
  assert.equal((await byFunction.create(1, parts)).admit(exchange), null)
  assert.equal((await without.create(null, parts)).admit(exchange), null)
  assert.throws(() => Object.assign(standard, { kind: 'other' }), TypeError)
})
