import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type Seen } from './judge.ts'
import { type Plan, planOf } from './plan.ts'

const plan: Plan = {
  ...planOf(1, 1),
  method: 'GET',
  minor: 1,
  status: 200,
  response: { framing: 'sized', bytes: 10, trailer: false },
  upstreamFault: 'none',
  clientFault: 'none',
}

const seen: Seen = {
  head: { status: 200, nonce: plan.nonce, requestId: plan.nonce },
  bytes: 10,
  intact: true,
  complete: true,
  untilClose: false,
  trailer: null,
  behind: false,
}

const failure = { status: 502, nonce: null, requestId: plan.nonce }

test('takes the planned response for exact', () => {
  assert.equal(judge(plan, seen), 'exact')
})

test('takes another nonce for a mix-up, in the field as in the request id', () => {
  assert.equal(
    judge(plan, { ...seen, head: { status: 200, nonce: 'other', requestId: plan.nonce } }),
    'MIXUP',
  )
  assert.equal(
    judge(plan, { ...seen, head: { status: 200, nonce: plan.nonce, requestId: 'other' } }),
    'MIXUP',
  )
  assert.equal(judge(plan, { ...seen, head: { ...failure, requestId: 'other' } }), 'MIXUP')
})

test('takes bytes that differ, are missing or too many for a wrong body', () => {
  assert.equal(judge(plan, { ...seen, intact: false }), 'WRONG_BODY')
  assert.equal(judge(plan, { ...seen, bytes: 9 }), 'WRONG_BODY')
  assert.equal(judge(plan, { ...seen, bytes: 11 }), 'WRONG_BODY')
})

test('allows a broken response only where the origin broke it', () => {
  const torso = { ...seen, bytes: 4, complete: false }
  assert.equal(judge(plan, torso), 'TRUNCATED')
  assert.equal(judge({ ...plan, upstreamFault: 'cutBody' }, torso), 'broken')
})

test('does not let a truncated body pass for a whole one', () => {
  const cut: Plan = { ...plan, upstreamFault: 'cutBody' }
  assert.equal(judge(cut, { ...seen, bytes: 4 }), 'WRONG_BODY')
  assert.equal(judge(cut, { ...seen, bytes: 4, untilClose: true }), 'CLEAN_END')
})

test("tells the gateway's own failures apart by whether the origin was at fault", () => {
  const own = { ...seen, head: failure }
  assert.equal(judge({ ...plan, upstreamFault: 'resetBefore' }, own), 'failed')
  assert.equal(judge(plan, own), 'collateral')
  assert.equal(judge(plan, { ...seen, head: { ...failure, status: 500 } }), 'REFUSED')
  assert.equal(judge(plan, { ...seen, head: { ...failure, status: 401 } }), 'REFUSED')
})

test('wants the trailer wherever the version has trailers', () => {
  const trailing: Plan = { ...plan, response: { framing: 'chunked', bytes: 10, trailer: true } }
  assert.equal(judge(trailing, { ...seen, trailer: plan.nonce }), 'exact')
  assert.equal(judge(trailing, seen), 'WRONG_TRAILER')
  assert.equal(judge({ ...trailing, minor: 0 }, seen), 'exact')
})
