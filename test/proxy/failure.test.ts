import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ProtocolErrorCode } from '../../src/http1/protocol-error.ts'
import { FAILURES, type FailureCode, failure } from '../../src/proxy/failure.ts'
import { brokenFailure } from '../../src/proxy/protocol-failure.ts'
import { compileUpstreamFailures } from '../../src/proxy/upstream-failure.ts'

describe('the table of failures', () => {
  test('gives every code a status that fits whose fault it is', () => {
    for (const code of Object.keys(FAILURES) as FailureCode[]) {
      const { status, side, replay } = failure(code)
      if (side === 'client') assert.ok(status < 500 || status === 501 || status === 505, code)
      else assert.ok(status >= 500, code)
      if (side === 'client') assert.equal(replay, 'never', code)
    }
  })

  test('yields values that nobody changes', () => {
    assert.ok(Object.isFrozen(failure('internal')))
    assert.equal(failure('internal', { detail: 'x', fields: 'A: b\r\n', replay: 'always' }).status, 500)
  })
})

test('every way to break HTTP/1.1 has its failure, worded without a byte of the message', () => {
  const expected: Record<ProtocolErrorCode, [number, FailureCode]> = {
    malformed: [400, 'request_malformed'],
    version_unsupported: [505, 'version_unsupported'],
    transfer_coding_unknown: [501, 'transfer_coding_unknown'],
    head_too_large: [431, 'head_too_large'],
    target_too_long: [414, 'target_too_long'],
    expectation_failed: [417, 'expectation_failed'],
    timeout: [408, 'request_timeout'],
  }
  for (const code of Object.keys(expected) as ProtocolErrorCode[]) {
    const broken = brokenFailure({ code, reason: 'the reason' })
    assert.deepEqual([broken.status, broken.code], expected[code])
    assert.equal(broken.detail.includes('the reason'), code === 'malformed')
  }
})

describe('what an upstream can do to an exchange', () => {
  const { unconnected, unanswered } = compileUpstreamFailures('orders')

  test('has its status and names the upstream as configured', () => {
    assert.deepEqual(
      Object.entries(unconnected).map(([fault, { status, code, detail }]) => [fault, status, code, detail]),
      [
        ['unknown', 503, 'connect_failed', 'Upstream service orders is unavailable.'],
        ['refused', 503, 'connect_failed', 'Upstream service orders is unavailable.'],
        ['timeout', 504, 'upstream_timeout', 'Upstream service orders timed out.'],
        ['saturated', 503, 'upstream_saturated', 'Upstream service orders is at capacity.'],
        ['unavailable', 503, 'upstream_unavailable', 'Upstream service orders has no endpoint in service.'],
      ],
    )
    assert.equal(unconnected.saturated.fields, 'Retry-After: 1\r\n')
    assert.equal(unconnected.unavailable.fields, 'Retry-After: 1\r\n')
    for (const [fault, { status }] of Object.entries(unanswered))
      assert.equal(status, fault === 'timeout' ? 504 : 502)
  })

  // The fault: a POST that is sent again may be acted on twice.
  test('is safe to try again always where nothing was sent, else for methods that may be repeated at most', () => {
    for (const { replay } of Object.values(unconnected)) assert.equal(replay, 'always')
    for (const { replay } of Object.values(unanswered)) assert.notEqual(replay, 'always')
    assert.equal(unanswered.timeout.replay, 'never')
    assert.equal(unanswered.malformed.replay, 'never')
  })
})
