import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { run } from '../child.ts'
import { gatewayEnvironment } from '../peer/peer.ts'
import { residentBytesOf } from '../process-tree.ts'
import { type CaseReport, mebibytes, medianOf } from '../report.ts'
import { freePort, ROOT } from '../stand.ts'

const STARTS = 7
const MAX_START_MS = 400
const MAX_IDLE_BYTES = 100 * 2 ** 20
/** From the first answer until resident memory is read. */
const REST_MS = 1_000

interface Start {
  readonly firstAnswerMs: number
  readonly idleBytes: number
}

/** From `bin/nyro start` to its first answer, and what it then holds; from the sources and from a build. */
export async function start(bench: Bench): Promise<CaseReport | null> {
  const { options, stand, say } = bench
  if (!options.peers.includes('gateway')) return null
  const rows: string[][] = []
  const faults: string[] = []
  for (const form of ['sources', 'build'] as const) {
    const copy = copyCheckout(bench, form)
    if (form === 'build') {
      const command = { name: 'the build', command: process.execPath, args: [join(copy, 'scripts/build.ts')] }
      await run({ ...command, env: {}, cores: null, directory: stand.directory }, 120_000)
    }
    const starts: Start[] = []
    for (let count = 0; count < STARTS; count++) starts.push(await startOnce(bench, copy))
    const [first, ...later] = starts
    if (first === undefined) continue
    const laterMs = medianOf(later, (one) => one.firstAnswerMs)
    const idleBytes = Math.max(...later.map((one) => one.idleBytes))
    rows.push([form, first.firstAnswerMs.toFixed(0), laterMs.toFixed(0), mebibytes(idleBytes)])
    say(`start, ${form}: first ${first.firstAnswerMs.toFixed(0)} ms, then ${laterMs.toFixed(0)} ms`)
    const promised = form === 'build' ? Math.max(laterMs, first.firstAnswerMs) : laterMs
    if (promised >= MAX_START_MS) faults.push(`a start from the ${form} takes ${promised.toFixed(0)} ms`)
    if (idleBytes >= MAX_IDLE_BYTES)
      faults.push(`idle, from the ${form}: ${mebibytes(idleBytes)} MiB resident`)
  }
  const head = ['run from', 'first start, ms', 'later starts, ms', 'idle RSS, MiB']
  return {
    title: 'Start',
    method:
      'From spawning `bin/nyro start` to the end of the first answer of `GET /health/live`, one worker, not pinned; ' +
      `the first start meets an empty compile cache, the later ones (median of ${STARTS - 1}) a warm one.`,
    tables: [{ head, rows }],
    faults,
  }
}

/** The checkout as it stands, without what it was built into, so that neither form disturbs the other. */
function copyCheckout({ stand }: Bench, form: string): string {
  const copy = stand.subdirectory(`checkout-${form}`)
  const left = new Set(['.git', '.env', '.soak', 'node_modules', 'dist', 'coverage'])
  cpSync(ROOT, copy, { recursive: true, filter: (path) => !left.has(basename(path)) })
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

async function startOnce({ upstream }: Bench, copy: string): Promise<Start> {
  const port = await freePort()
  const peer = { queryPort: upstream.port, ingestPort: upstream.port, workers: 1, cores: null }
  const env = { ...process.env, ...gatewayEnvironment(peer, port), NODE_COMPILE_CACHE: `${copy}-cache` }
  const began = performance.now()
  const child = spawn(join(copy, 'bin/nyro'), ['start'], { env, cwd: copy, stdio: 'ignore' })
  const exit = once(child, 'exit')
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`bin/nyro start ended with ${child.exitCode}`)
      if (performance.now() - began > 10_000) throw new Error('bin/nyro start does not answer')
      await delay(2)
    }
    const firstAnswerMs = performance.now() - began
    await delay(REST_MS)
    return { firstAnswerMs, idleBytes: residentBytesOf(child.pid ?? 0) }
  } finally {
    child.kill('SIGTERM')
    await exit
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write('GET /health/live HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n')
    let answer = ''
    for await (const chunk of socket) answer += chunk
    return answer.startsWith('HTTP/1.1 200')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
