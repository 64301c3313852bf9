/**
 * What finding a route costs, how long a slice of 100 routes takes to compile, and what a table weighs: tables of 3, 10
 * and 10,000 routes, asked for different routes in turn. The table asked for a second time shows how far rounds of the
 * same work are apart. Run: node --expose-gc bench/micro/router.ts
 */
import type { RouteConfig } from '../../src/config/config.ts'
import { Head } from '../../src/http1/head.ts'
import { parseRequestHead } from '../../src/http1/head-parser.ts'
import { type CompileParts, SnapshotBuilder } from '../../src/worker/compile.ts'
import type { Router } from '../../src/worker/router.ts'
import { planeConfig } from '../../test/worker/open-plane.ts'
import { compileParts, routeFor } from '../../test/worker/table.ts'

const ROUNDS = 200
const PER_ROUND = 4_096
const SLICE = 100
const ASKED = 64

/** Services with an id in their paths. */
function tableOf(count: number): readonly RouteConfig[] {
  return Array.from({ length: count }, (_, index) =>
    routeFor(`service ${index}`, { path: `/api/v1/service-${index}/*` }),
  )
}

/** Requests for up to 64 routes spread over the table. */
function headsFor(count: number): readonly Head[] {
  return Array.from({ length: ASKED }, (_, index) => {
    const service = Math.floor((index * count) / ASKED)
    const lines = [
      `GET /api/v1/service-${service}/documents?limit=20 HTTP/1.1`,
      'Host: gateway.example.com',
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Accept: application/json',
    ]
    const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
    const head = new Head()
    if (parseRequestHead(head, bytes, 0, bytes.length) <= 0) throw new Error('not a head')
    return head
  })
}

function compiled(
  routes: readonly RouteConfig[],
  parts: CompileParts,
): { router: Router; sliceMs: number[] } {
  const builder = new SnapshotBuilder(planeConfig('http://127.0.0.1:9'), parts)
  const sliceMs: number[] = []
  for (let at = 0; at < routes.length; at += SLICE) {
    const startedAt = performance.now()
    builder.add(routes.slice(at, at + SLICE))
    sliceMs.push(performance.now() - startedAt)
  }
  const startedAt = performance.now()
  const router = builder.finish()
  sliceMs.push(performance.now() - startedAt)
  return { router, sliceMs }
}

function nanoseconds(router: Router, heads: readonly Head[]): number {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = process.hrtime.bigint()
    for (let index = 0; index < PER_ROUND; index++) {
      if (router.match(heads[index % ASKED] as Head).name === null) throw new Error('not found')
    }
    rounds.push(Number(process.hrtime.bigint() - startedAt) / PER_ROUND)
  }
  rounds.sort((left, right) => left - right)
  return rounds[ROUNDS >> 1] ?? 0
}

const parts = compileParts()
const sizes = [3, 10, 10_000, 10]
const tables = sizes.map((count) => ({ count, ...compiled(tableOf(count), parts), heads: headsFor(count) }))
for (const { router, heads } of tables) nanoseconds(router, heads)
for (const { count, router, heads } of tables) {
  process.stdout.write(`match, ${count} routes: ${nanoseconds(router, heads).toFixed(1)} ns\n`)
}

const { sliceMs } = compiled(tableOf(10_000), parts)
process.stdout.write(
  `compile, cold: longest slice of ${SLICE} routes ${Math.max(...(tables[2]?.sliceMs ?? [])).toFixed(2)} ms; ` +
    `warm: longest ${Math.max(...sliceMs).toFixed(2)} ms, 10,000 routes ${sliceMs.reduce((sum, ms) => sum + ms, 0).toFixed(0)} ms\n`,
)

if (globalThis.gc !== undefined) {
  const routes = tableOf(10_000)
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  const { router } = compiled(routes, parts)
  globalThis.gc()
  const bytes = process.memoryUsage().heapUsed - before
  process.stdout.write(
    `memory: ${(bytes / 10_000).toFixed(0)} bytes a route beside its config (${router.unreadable.logText === '' ? 'held' : ''})\n`,
  )
}
