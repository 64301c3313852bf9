import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import type { Policy } from '../../src/proxy/policy.ts'
import type { Route, RouteChoice } from '../../src/proxy/route.ts'
import type { StripSet } from '../../src/proxy/strip-set.ts'
import { SnapshotBuilder } from '../../src/worker/compile.ts'
import { parsedGet } from '../proxy/parsed-head.ts'
import { upstreamOf } from '../support/config-part.ts'
import { planeConfig } from './open-plane.ts'
import { compileParts, ORDERS, routeFor } from './table.ts'

/** Beside the routes stands what becomes of them, in full: a change of either shows here. */

const IDENTITY: Policy = { kind: 'jwt', owns: [], admit: () => null }
const UPSTREAMS = [
  upstreamOf('orders', 'http://10.0.0.1:8080/base'),
  upstreamOf('canary', 'http://10.0.0.2', { hostHeader: 'keep' }),
]

/** Fields that any plan of these routes could take away. */
const FIELDS = [
  ...['Accept', 'Authorization', 'Content-Type', 'Cookie', 'Date', 'Host', 'Server', 'Vary', 'Via'],
  ...['Connection', 'Keep-Alive', 'Proxy-Authorization', 'Content_Length', 'Forwarded', 'X-Forwarded-For'],
  ...['X-Api', 'X_Api', 'X-Company-ID', 'x.company.id', 'X-Debug', 'X-Request-ID', 'X-Process-Time', 'X-Tag'],
  ...['Access-Control-Allow-Origin', 'X-Frame-Options', 'X-Powered-By'],
]

function droppedBy(strip: StripSet): readonly string[] {
  const head = parsedGet('/', ...FIELDS.filter((name) => name !== 'Host').map((name) => `${name}: 1`))
  return Array.from({ length: head.count }, (_, index) => index)
    .filter((index) => strip.drops(head, index))
    .map((index) => head.name(index))
}

function tellChoice({ plan, weight, failures }: RouteChoice): object {
  const { basePath, rewrite, hostHeader, lines } = plan
  return {
    ...{ weight, basePath, rewrite, hostHeader, lines },
    drops: droppedBy(plan.stripUntrusted).join(' '),
    dropsInTrailers: droppedBy(plan.stripTrailers).join(' '),
    refused: failures.unconnected.refused.detail,
  }
}

function tell({ name, policies, owned, response, target, logText }: Route): object {
  return {
    name,
    policies: policies.map(({ kind }) => kind).join(', '),
    owned: [...owned].join(' '),
    target:
      target === null ? null : { choices: target.choices.map(tellChoice), limits: tellLimits(target.limits) },
    response: {
      lines: response.lines,
      ownLines: response.ownLines,
      drops: droppedBy(response.toProgram).join(' '),
      dropsForPages: droppedBy(response.toPage).join(' '),
    },
    logText,
  }
}

/** JSON has no word for Infinity. */
function tellLimits(limits: object): object {
  return Object.fromEntries(
    Object.entries(limits).map(([key, value]) => [key, value === Infinity ? 'none' : value]),
  )
}

test('routes become exactly the plans that stand beside them', () => {
  const read = (file: string): unknown =>
    JSON.parse(readFileSync(`${import.meta.dirname}/golden/${file}`, 'utf8'))
  const routes = (read('routes.json') as readonly RouteConfig[]).map(({ name, match, ...own }) =>
    routeFor(name, match, own),
  )
  const parts = compileParts({
    identity: { owned: [], policy: () => IDENTITY },
    upstreams: { get: () => ORDERS },
  })
  const builder = new SnapshotBuilder({ ...planeConfig('http://10.0.0.1'), upstreams: UPSTREAMS }, parts)
  builder.add(routes)
  const snapshot = builder.finish()
  const told = routes.map(({ match }) =>
    tell(snapshot.match(parsedGet(match.path.replace('/*', '/x').replace(':id', '7')))),
  )
  assert.deepEqual(told, read('plan.json'))
})
