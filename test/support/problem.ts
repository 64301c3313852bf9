import assert from 'node:assert/strict'
import type { RawResponse } from './raw-client.ts'

/** The body of a failure (RFC 9457). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly request_id: string
}

/**
 * The response is a whole, well-formed failure of the gateway's own; gives its body.
 * Without `detail` any text will do.
 */
export function assertProblem(response: RawResponse, status: number, code: string, detail?: string): Problem {
  const problem = assertShape(response)
  assert.equal(response.status, status, response.text)
  assert.equal(problem.code, code, response.text)
  if (detail !== undefined) assert.equal(problem.detail, detail)
  return problem
}

/** The shape every failure has, whatever its code. */
export function assertShape(response: RawResponse): Problem {
  assert.match(response.get('content-type') ?? '', /^application\/problem\+json(;|$)/, response.text)
  assert.equal(response.body.complete, true)
  const problem = response.json<Problem>()
  assert.equal(problem.type, `urn:problem-type:nyro:${problem.code}`)
  assert.equal(problem.status, response.status)
  for (const text of [problem.title, problem.detail]) assert.ok(typeof text === 'string' && text !== '')
  assert.deepEqual(
    Object.keys(problem).sort(),
    ['code', 'detail', 'request_id', 'status', 'title', 'type'],
    'no member but the documented ones',
  )
  assertStamps(response, problem.request_id)
  return problem
}

/** Every response carries a request id and the time it took. */
export function assertStamps(response: RawResponse, requestId?: string): void {
  const given = response.get('x-request-id')
  assert.match(given ?? '', /^[A-Za-z0-9._:-]{1,128}$/)
  if (requestId !== undefined) assert.equal(given, requestId)
  assert.match(response.get('x-process-time') ?? '', /^\d+(\.\d+)?$/)
  assert.notEqual(response.get('date'), null)
}
