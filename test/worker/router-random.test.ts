import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import { Random } from '../http1/random.ts'
import { type Asked, referenceMatch } from './reference-match.ts'
import { endingOf, routeFor, routerOf } from './table.ts'

const TABLES = 150
const REQUESTS = 60

const HOSTS = ['a.test', 'b.a.test', 'c.b.a.test', '*.a.test', '*.b.a.test', '*.test']
const SEGMENTS = ['a', 'ab', 'abc', 'b', ':x', ':y', 'x-y']
const METHODS = ['GET', 'POST', 'PUT', 'OPTIONS']
const VALUES = ['1', '2']

function some<T>(random: Random, items: readonly T[], most: number): readonly T[] {
  return items.filter(() => random.below(items.length) < most)
}

function pathOf(random: Random, segments: readonly string[]): string {
  const length = random.below(4)
  let path = ''
  for (let index = 0; index < length; index++) path += `/${random.pick(segments)}`
  if (random.once(8)) path += '/'
  return path === '' ? '/' : path
}

function routeOf(random: Random, index: number): RouteConfig {
  const path = pathOf(random, SEGMENTS)
  const named = (name: string): { name: string; value: string } => ({ name, value: random.pick(VALUES) })
  const methods = some(random, METHODS, 2)
  return routeFor(`route ${index}`, {
    hosts: random.once(2) ? [] : some(random, HOSTS, 1),
    path: random.once(3) ? `${path === '/' || path.endsWith('/') ? path.slice(0, -1) : path}/*` : path,
    methods: methods.length === 0 ? ['GET'] : methods,
    headers: random.once(4) ? some(random, ['x-a', 'x-b'], 1).map(named) : [],
    query: random.once(4) ? some(random, ['p', 'q'], 1).map(named) : [],
  })
}

function askedOf(random: Random): Asked {
  const query = some(random, ['p', 'q', 'p'], 1).map((name) => `${name}=${random.pick(VALUES)}`)
  const fields = some(random, ['x-a', 'x-b'], 1).map((name) => [name, random.pick(VALUES)])
  return {
    method: random.pick(METHODS),
    host: random.pick(HOSTS.map((host) => host.replace('*', 'd'))),
    path: pathOf(random, ['a', 'ab', 'abc', 'b', 'abcd', 'x', '']),
    query: query.join('&'),
    fields: Object.fromEntries(fields),
  }
}

/** `405` with its methods sorted, as the reference says it. */
function sorted(ending: string): string {
  const [status = '', ...methods] = ending.split(/,? /)
  return status === '405' ? `405 ${methods.sort().join(', ')}` : ending
}

test('a table answers as the rules say, in whatever order its routes are given', () => {
  const random = new Random(20_261_124)
  const endings = new Map<string, number>()
  for (let table = 0; table < TABLES; table++) {
    const routes = Array.from({ length: 1 + random.below(30) }, (_, index) => routeOf(random, index))
    const shuffled = routes.map((route) => ({ route, at: random.below(1_000) })).sort((a, b) => a.at - b.at)
    const router = routerOf(
      shuffled.map(({ route }) => route),
      { docs: new Map() },
    )
    for (let request = 0; request < REQUESTS; request++) {
      const asked = askedOf(random)
      const expected = referenceMatch(routes, asked)
      // The gateway's own greeting is none of the routes.
      if (asked.path === '/' && expected.startsWith('40')) continue
      const target = `${asked.method} ${asked.path}${asked.query === '' ? '' : `?${asked.query}`}`
      const fields = Object.entries(asked.fields).map(([name, value]) => `${name}: ${value}`)
      const ending = sorted(endingOf(router, target, `Host: ${asked.host}`, ...fields))
      assert.equal(
        ending,
        expected,
        JSON.stringify({ asked, matches: routes.map(({ name, match }) => ({ name, match })) }),
      )
      const kind = ending.slice(0, 3)
      endings.set(kind, (endings.get(kind) ?? 0) + 1)
    }
  }
  for (const kind of ['rou', '404', '405'])
    assert.ok((endings.get(kind) ?? 0) > 300, `${kind}: ${endings.get(kind)}`)
})
