import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FileGateway } from '../support/file-gateway.ts'
import type { Gateway, LogLine } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { enlargeDisk, mountDisk, unmountDisk } from '../support/small-disk.ts'
import { until } from '../support/until.ts'
import { assertBounded, assertEnds, metric, startWatched } from './onlooker-stage.ts'
import { assertUnaffected, SteadyLoad } from './steady-load.ts'

/** A path as long as may be: some hundred lines fill what waits for their reader. */
const LONG = 'x'.repeat(15_000)
const ENOUGH_LOST = 100
const DROPPED = 'nyro_log_lines_dropped_total'
const DISK_BYTES = 512 * 1024

/** Requests whose lines are short until they are to fill something. */
class Targets {
  tail = ''
  readonly next = (number: number): string => `/orders/${number}${this.tail}`
}

function isDropped({ event }: LogLine): boolean {
  return event === 'Log lines dropped'
}

/** Access lines of the load that were written, and those that were lost, by the gateway's word. */
function written(lines: readonly LogLine[]): number {
  return lines.filter(({ path }) => path?.startsWith('/orders/')).length
}

function lost(lines: readonly LogLine[]): number {
  return lines.filter(isDropped).reduce((sum, { count = 0 }) => sum + count, 0)
}

async function enoughLost(adminPort: number): Promise<void> {
  const before = await metric(adminPort, DROPPED)
  await until(
    'lines to be lost',
    async () => (await metric(adminPort, DROPPED)) > before + ENOUGH_LOST,
    30_000,
  )
}

/** The pipe of a process ends for us when it is read, and that of this one is not. */
async function assertEndsUnread(gateway: Gateway): Promise<void> {
  const ended = assertEnds(gateway)
  await until('the process to be gone', () => !existsSync(`/proc/${gateway.pid}`))
  gateway.releaseOutput()
  await ended
}

describe('traffic is unaffected', { concurrency: true }, () => {
  test('by a standard output that nobody reads, and each line is written or counted', async () => {
    const targets = new Targets()
    await using origin = await Origin.start()
    await using gateway = await startWatched(origin)
    const { adminPort } = gateway
    await using load = new SteadyLoad({ port: gateway.port, target: targets.next })
    const before = await load.during()
    const resident = gateway.residentBytes
    gateway.holdOutput()
    targets.tail = LONG
    const during = await load.during(() => enoughLost(adminPort))
    assertUnaffected(before, during)
    assertBounded(resident, gateway.residentBytes)
    gateway.releaseOutput()
    await gateway.line('of lines lost', isDropped)
    assertUnaffected(before, await load.during())
    await load.stop()
    await until('every line', () => written(gateway.lines) + lost(gateway.lines) === load.asked)
    assert.equal(lost(gateway.lines), await metric(adminPort, DROPPED))
    await using again = new SteadyLoad({ port: gateway.port, target: targets.next })
    gateway.holdOutput()
    await again.during(() => enoughLost(adminPort))
    await again.stop()
    await assertEndsUnread(gateway)
  })

  test('by a full disk under the log file, and each line is written or counted', async (t) => {
    const disk = mountDisk(String(DISK_BYTES))
    if (disk === null) return t.skip('this user may not mount a small disk')
    t.after(() => unmountDisk(disk))
    const targets = new Targets()
    await using origin = await Origin.start()
    const path = join(disk, 'access.log')
    await using gateway = await FileGateway.start(origin, { output: { file: path } }, path, 'required')
    const adminPort = gateway.lines().find(({ admin_port }) => admin_port !== undefined)?.admin_port ?? 0
    await using load = new SteadyLoad({ port: gateway.port, target: targets.next })
    const before = await load.during()
    const resident = gateway.process.residentBytes
    targets.tail = LONG
    const during = await load.during(() => enoughLost(adminPort))
    assertUnaffected(before, during)
    assertBounded(resident, gateway.process.residentBytes)
    assert.ok(statSync(path).size <= DISK_BYTES)
    enlargeDisk(disk, '64m')
    const flowing = await load.during(() => until('room', () => statSync(path).size > 2 * DISK_BYTES))
    assertUnaffected(before, flowing)
    await load.stop()
    const lines = await until('every line', () => {
      const now = gateway.lines()
      return written(now) + lost(now) === load.asked ? now : null
    })
    assert.equal(lost(lines), await metric(adminPort, DROPPED))
    enlargeDisk(disk, String(statSync(path).size))
    await using again = new SteadyLoad({ port: gateway.port, target: targets.next })
    await again.during()
    await again.stop()
    await assertEnds(gateway.process)
  })
})
