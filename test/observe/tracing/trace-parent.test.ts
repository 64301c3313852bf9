import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseTraceParent } from '../../../src/observe/tracing/trace-parent.ts'
import { keptTraceState } from '../../../src/observe/tracing/trace-state.ts'

// Vectors of the specification's own test suite (w3c/trace-context, test/test.py) and of its sections 3.2 and 3.3.

const TRACE = '12345678901234567890123456789012'
const SPAN = '1234567890123456'

describe('a traceparent field', () => {
  for (const [value, sampled] of [
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-01`, true],
    // Flags that mean nothing to us are not ours to refuse.
    [`00-${TRACE}-${SPAN}-ff`, true],
    [`00-${TRACE}-${SPAN}-0a`, false],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03', true],
    [`cc-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, true],
    [`01-${TRACE}-${SPAN}-00-`, false],
  ] as const) {
    test(`is taken: ${value}`, () => {
      const parsed = parseTraceParent(value)
      assert.deepEqual(parsed, { traceId: value.slice(3, 35), spanId: value.slice(36, 52), sampled })
    })
  }

  for (const value of [
    '',
    'foo',
    '00',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-001`,
    // Version 00 ends with the flags.
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-what-the-future-will-be-like`,
    `cc-${TRACE}-${SPAN}-01.what-the-future-will-not-be-like`,
    `cc-${TRACE}-${SPAN}-01x`,
    `ff-${TRACE}-${SPAN}-01`,
    `.0-${TRACE}-${SPAN}-01`,
    `0.-${TRACE}-${SPAN}-01`,
    `000-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-.${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}1-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN.slice(1)}-01`,
    `00-${TRACE}-${SPAN}1-01`,
    `00-${TRACE}-${SPAN}-.0`,
    `00-${TRACE}-${SPAN}-0.`,
    `00-${TRACE.slice(0, 31)}A-${SPAN}-01`,
    `00-${TRACE}-${SPAN.slice(0, 15)}F-01`,
    `0A-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0A`,
    `00_${TRACE}_${SPAN}_01`,
    `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0\u0661`,
  ]) {
    test(`is none: ${JSON.stringify(value)}`, () => {
      assert.equal(parseTraceParent(value), null)
    })
  }
})

describe('a trace state', () => {
  const value = 'v'.repeat(256)
  const key = `k${'e'.repeat(254)}`
  for (const state of [
    'foo=1',
    'foo=1,bar=2',
    'foo=1 , bar=2',
    'foo=1,\tbar=2',
    'foo=1,,bar=2',
    'foo=1,',
    `foo=${value}`,
    `${key}z=1`,
    'a_-*/0=1',
    `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    '0tenant@vendor=1',
    'foo=a b~!',
    Array.from({ length: 32 }, (_, index) => `bar${index}=1`).join(','),
  ]) {
    test(`passes unchanged: ${state.slice(0, 40)}`, () => {
      assert.equal(keptTraceState(state), state)
    })
  }

  for (const state of [
    '',
    ',',
    'foo',
    '=1',
    'foo=',
    'foo =1',
    'FOO=1',
    'foo.bar=1',
    '0foo=1',
    'foo@=1',
    '@foo=1',
    'foo@bar@baz=1',
    'foo=1=2',
    'foo=1\u007f',
    'foo=\u00e4',
    'foo=1,foo=2',
    `foo=${value}v`,
    `${key}zz=1`,
    `${'t'.repeat(242)}@v=1`,
    `t@${'v'.repeat(15)}=1`,
    Array.from({ length: 33 }, (_, index) => `bar${index}=1`).join(','),
    `a=${value},b=${value}`,
  ]) {
    test(`is dropped whole: ${JSON.stringify(state.slice(0, 40))} (${state.length})`, () => {
      assert.equal(keptTraceState(state), '')
    })
  }
})
