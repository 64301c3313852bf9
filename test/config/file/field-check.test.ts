import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  GATEWAY_REQUEST_FIELDS,
  GATEWAY_RESPONSE_FIELDS,
  HOP_BY_HOP,
  PEER_FIELDS,
} from '../../../src/lib/gateway-field.ts'
import { problemsOf } from './load-text.ts'

/** How many of the names a file that takes them all away is refused for. */
async function refusedOf(side: 'request' | 'response', names: readonly string[]): Promise<number> {
  const text = `upstreams: { a: { endpoints: "http://a" } }
routes: [{ name: a, upstream: a, auth: none, headers: { ${side}: { remove: [${names.join(', ')}] } } }]`
  const problems = await problemsOf(text)
  return problems.filter((problem) => problem.includes('names a field that the gateway owns')).length
}

/** As upstreams may fold a name. */
function spellings(name: string): readonly string[] {
  return [name, name.toUpperCase(), name.replaceAll('-', '_'), name.replaceAll('-', '.')]
}

// The attack: a route takes away, or states beside the gateway's own, what the data plane relies on.
test('every field that the data plane owns is refused in a configuration, however it is spelled', async () => {
  const request = [...HOP_BY_HOP, ...GATEWAY_REQUEST_FIELDS, ...PEER_FIELDS, 'host', 'content-length']
  const response = [...HOP_BY_HOP, ...GATEWAY_RESPONSE_FIELDS, 'content-length', 'date']
  assert.equal(await refusedOf('request', request.flatMap(spellings)), request.length * 4)
  assert.equal(await refusedOf('response', response.flatMap(spellings)), response.length * 4)
})
