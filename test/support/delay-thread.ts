/**
 * A real data thread that also says, each 100 ms, how long its event loop was held up by its own work: a line of JSON
 * on standard output, which control logs. A timer that is late by so much counts as far as the thread was computing
 * meanwhile: what it waited for a core that other processes had is not its own doing.
 */
import { threadCpuUsage } from 'node:process'
import '../../src/worker/thread.ts'

const TURN_MS = 1

let worstMs = 0
let sinceMs = performance.now()
let usedMs = cpuMs()

function cpuMs(): number {
  const { user, system } = threadCpuUsage()
  return (user + system) / 1_000
}

setInterval(() => {
  const nowMs = performance.now()
  const nowUsedMs = cpuMs()
  worstMs = Math.max(worstMs, Math.min(nowMs - sinceMs - TURN_MS, nowUsedMs - usedMs))
  sinceMs = nowMs
  usedMs = nowUsedMs
}, TURN_MS).unref()

setInterval(() => {
  process.stdout.write(`${JSON.stringify({ maxMs: worstMs })}\n`)
  worstMs = 0
}, 100).unref()
