import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UpstreamConfig } from '../../src/config/config.ts'
import type { Addresses } from '../../src/control/resolver.ts'
import { SlotBook } from '../../src/control/slot-book.ts'
import { namesOf, UpstreamRoster } from '../../src/control/upstream-roster.ts'
import type { LiveUpstream } from '../../src/upstreams/live-upstream.ts'
import { upstreamOf } from '../support/config-part.ts'

function book(capacity: number): SlotBook {
  return new SlotBook(capacity, { isIdle: () => true, reset: () => {}, ask: () => 1, answered: () => 1 })
}

function stage(known: Record<string, Addresses> = {}, capacity = 16) {
  const upstreamSlots = book(capacity)
  const endpointSlots = book(capacity)
  const overflowed: string[] = []
  const open = (...configs: readonly UpstreamConfig[]): UpstreamRoster | null =>
    UpstreamRoster.open(configs, {
      upstreamSlots,
      endpointSlots,
      addressesOf: (host) => known[host] ?? null,
      overflowed: (upstream, target) => overflowed.push(`${upstream} ${target}`),
    })
  return { known, open, overflowed, endpointSlots }
}

function slotsOf({ endpoints }: LiveUpstream | undefined = EMPTY): readonly (number | string)[] {
  return Array.isArray(endpoints)
    ? endpoints.map(({ slot, address }) => `${slot} ${address}`)
    : [`${endpoints}`]
}

const EMPTY: LiveUpstream = { config: upstreamOf('none', []), slot: -1, endpoints: null }
const v4 = (address: string) => ({ address, family: 4 }) as const

test('only names are to be resolved, each once', () => {
  const urls = [
    'http://Ingest.Example:80/a',
    'http://ingest.example:81',
    'http://10.0.0.1',
    'https://[::1]:443',
    'http://localhost',
  ]
  assert.deepEqual(namesOf(urls), ['ingest.example', 'localhost'])
})

test('an address is an endpoint at once, a name one for each of its addresses', () => {
  const { open } = stage({ many: [v4('10.0.0.2'), { address: 'fd00::2', family: 6 }] })
  const roster = open(upstreamOf('a', ['https://many/base', 'https://[fd00::1]:8443/base']))
  const endpoints = roster?.live[0]?.endpoints
  assert.ok(Array.isArray(endpoints))
  assert.deepEqual(endpoints, [
    {
      slot: 0,
      address: '10.0.0.2',
      family: 4,
      port: 443,
      tls: true,
      host: 'many',
      authority: 'many',
      target: 'many:443',
    },
    {
      slot: 1,
      address: 'fd00::2',
      family: 6,
      port: 443,
      tls: true,
      host: 'many',
      authority: 'many',
      target: 'many:443',
    },
    {
      ...{ slot: 2, address: 'fd00::1', family: 6, port: 8443, tls: true, host: 'fd00::1' },
      ...{ authority: '[fd00::1]:8443', target: '[fd00::1]:8443' },
    },
  ])
})

test('without any answer an upstream has no endpoints yet; it is unknown once all of its names are', () => {
  const { open, known } = stage()
  const roster = open(upstreamOf('a', ['http://x', 'http://y']))
  assert.deepEqual(slotsOf(roster?.live[0]), ['null'])
  known['x'] = 'unknown'
  assert.deepEqual(roster?.refresh('x'), [])
  known['y'] = 'unknown'
  assert.deepEqual(roster?.refresh('y').map(slotsOf), [['unknown']])
  known['y'] = [v4('10.0.0.1')]
  assert.deepEqual(roster?.refresh('y').map(slotsOf), [['0 10.0.0.1']])
})

test('an endpoint keeps its slot through changes of addresses and configs around it', () => {
  const { open, known, endpointSlots } = stage({ x: [v4('10.0.0.1'), v4('10.0.0.2')] })
  const first = open(upstreamOf('a', 'http://x'))
  assert.deepEqual(slotsOf(first?.live[0]), ['0 10.0.0.1', '1 10.0.0.2'])
  known['x'] = [v4('10.0.0.3'), v4('10.0.0.2')]
  assert.deepEqual(first?.refresh('x').map(slotsOf), [['2 10.0.0.3', '1 10.0.0.2']])
  assert.equal(endpointSlots.left, 1)
  const second = open(upstreamOf('b', 'http://x'), upstreamOf('a', 'http://x', { slowStartMs: 5 }))
  first?.release()
  assert.deepEqual(second?.live.map(slotsOf), [
    ['3 10.0.0.3', '4 10.0.0.2'],
    ['2 10.0.0.3', '1 10.0.0.2'],
  ])
  assert.deepEqual(
    second?.live.map(({ slot }) => slot),
    [1, 0],
  )
})

test('other TLS options make another endpoint', () => {
  const { open } = stage()
  const tls = { ca: null, certificate: null, key: null, serverName: 'a.example' }
  const before = open(upstreamOf('a', 'https://10.0.0.1', { tls }))
  const same = open(upstreamOf('a', 'https://10.0.0.1', { tls: { ...tls } }))
  const other = open(upstreamOf('a', 'https://10.0.0.1', { tls: { ...tls, serverName: 'b.example' } }))
  assert.deepEqual(
    [before, same, other].map((roster) => slotsOf(roster?.live[0])),
    [['0 10.0.0.1'], ['0 10.0.0.1'], ['1 10.0.0.1']],
  )
})

test('more upstreams than slots are refused and leave nothing held; more endpoints are left out by name', () => {
  const { open, overflowed } = stage({}, 1)
  const a = upstreamOf('a', ['http://10.0.0.1', 'http://10.0.0.2'])
  assert.equal(open(a, upstreamOf('b', 'http://10.0.0.3')), null)
  overflowed.length = 0
  assert.deepEqual(open(a)?.live.map(slotsOf), [['0 10.0.0.1']])
  assert.deepEqual(overflowed, ['a 10.0.0.2:80'])
})
