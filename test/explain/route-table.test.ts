import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import { routeTable, routeTableText } from '../../src/explain/route-table.ts'
import { routeTo } from '../support/config-part.ts'
import { planeConfig } from '../worker/open-plane.ts'

function route(name: string, path: string, own: Partial<RouteConfig['match']> = {}): RouteConfig {
  const made = routeTo('orders', path, 'none', { name })
  return { ...made, match: { ...made.match, ...own } }
}

const ROUTES = [
  route('rest', '/*'),
  route('any', '/a/*'),
  route('deep', '/a/b/*'),
  route('parameter', '/a/:id'),
  route('literal', '/a/b'),
  route('condition', '/a/b', { headers: [{ name: 'x', value: '1' }] }),
  route('narrow', '/a/b', { methods: ['GET'] }),
  route('wild', '/z', { hosts: ['*.example.com'] }),
  route('exact', '/z', { hosts: ['api.example.com', 'b.example.com'] }),
]

test('the table of routes is in match order, whatever the order of the file', () => {
  const expected = [
    'exact',
    'exact',
    'wild',
    'deep',
    'condition',
    'narrow',
    'literal',
    'parameter',
    'any',
    'rest',
  ]
  for (const routes of [ROUTES, ROUTES.toReversed()]) {
    const names = routeTable(planeConfig('http://10.0.0.1', { routes })).map(({ name }) => name)
    assert.deepEqual(names, expected)
  }
})

test('the table of routes reads as columns', () => {
  const routes = [route('condition', '/a', { headers: [{ name: 'x', value: '1' }], methods: ['GET'] })]
  const text = routeTableText(routeTable(planeConfig('http://10.0.0.1', { routes })))
  assert.equal(
    text,
    'ROUTE      HOST  PATH  METHODS  CONDITIONS  AUTH  TO\ncondition  *     /a    GET      x: 1        none  orders\n',
  )
})
