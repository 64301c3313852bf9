/**
 * A data thread for tests of control: speaks worker/messages.ts, and does on its public port what a line of text says.
 * Answers `<row> <what>`.
 */
import { createServer, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { machineMs, systemClock } from '../../src/lib/clock.ts'
import { logLine } from '../../src/observe/log-line.ts'
import { LogRingWriter } from '../../src/observe/log-ring.ts'
import { UpstreamMemory } from '../../src/upstreams/upstream-memory.ts'
import type { ControlMessage, ThreadBirth, ThreadMessage } from '../../src/worker/messages.ts'

const birth = workerData as ThreadBirth
const { row } = birth
let { config, upstreams } = birth
const logRing = birth.memory.logRings[row]
if (logRing === undefined || parentPort === null) throw new Error('not started by control')
const port = parentPort
const ring = new LogRingWriter(logRing)
const counts = new UpstreamMemory(birth.memory.upstreams, row, {
  monotonicMs: systemClock.monotonicMs,
  machineMs,
}).connections
/** What is prepared and not in force yet. */
let prepared: typeof config | null = null
/** Where to listen apart. */
const heard: string[] = birth.draining ? ['born draining'] : []
const sockets = new Set<Socket>()
let closed = false

function say(message: ThreadMessage): void {
  port.postMessage(message)
}

function sayIfDrained(): void {
  if (closed && sockets.size === 0) say({ kind: 'drained' })
}

const COMMANDS: Readonly<Record<string, (operand: string) => string>> = {
  row: () => '',
  heard: () => heard.join(','),
  addresses: () =>
    JSON.stringify(
      upstreams.map(({ endpoints }) =>
        Array.isArray(endpoints) ? endpoints.map(({ address }) => address) : endpoints,
      ),
    ),
  /** What it was born with, or what was put in force since. */
  config: () => `${config.name}/${config.routes.length}`,
  take: () => String(counts.tryTake(0, 10)),
  open: () => String(counts.open(0)),
  log: (count) => {
    for (let index = 0; index < Number(count); index++)
      ring.write(logLine(0, 'info', 'fixture', 'Line', { row, index }))
    if (ring.takeAttention()) say({ kind: 'lines' })
    return count
  },
  print: (text) => {
    process.stdout.write(`${text}\n`)
    process.stderr.write(`${text}\n`)
    return text
  },
  throw: (text) => {
    setImmediate(() => {
      throw new Error(text)
    })
    return ''
  },
  exit: () => process.exit(3),
  memory: () => {
    const hoard: unknown[] = []
    for (;;) hoard.push(new Array(10_000).fill(hoard.length))
  },
  overflow: () => {
    setImmediate(function deeper() {
      deeper()
    })
    return ''
  },
  spin: () => {
    for (;;);
  },
}

const server = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => {})
  socket.on('close', () => {
    sockets.delete(socket)
    sayIfDrained()
  })
  socket.setEncoding('utf8').on('data', (text: string) => {
    const [command = '', operand = ''] = text.trimEnd().split(' ', 2)
    socket.write(`${row} ${COMMANDS[command]?.(operand) ?? 'unknown'}\n`)
  })
})

server.on('listening', () => say({ kind: 'listening' }))
server.on('error', (error: NodeJS.ErrnoException) =>
  say(error.code === 'EADDRINUSE' ? { kind: 'taken' } : { kind: 'refused', reason: error.message }),
)

port.on('message', (message: ControlMessage) => {
  if (message.kind !== 'listen') heard.push(message.kind)
  switch (message.kind) {
    case 'listen':
      server.listen({ host: message.host, port: message.port, reusePort: config.workers > 1 })
      return
    case 'prepare':
      prepared = message.config
      say({ kind: 'next', version: message.version })
      return
    case 'routes':
      if (prepared === null) return
      prepared = { ...prepared, routes: [...prepared.routes, ...JSON.parse(message.text)] }
      if (prepared.name === 'cannot')
        say({ kind: 'failed', version: message.version, reason: 'the fixture cannot' })
      else if (prepared.name !== 'stuck')
        say({ kind: message.isLast ? 'prepared' : 'next', version: message.version })
      return
    case 'commit':
      config = prepared ?? config
      upstreams = message.upstreams
      return
    case 'drop':
      prepared = null
      return
    case 'endpoints':
      upstreams = upstreams.map((known) =>
        known.config.name === message.upstream ? { ...known, endpoints: message.endpoints } : known,
      )
      return
    case 'ask':
      say({ kind: 'answered', question: message.question })
      return
    case 'drain':
      return
    case 'close':
      closed = true
      server.close()
      sayIfDrained()
      return
    case 'end':
      process.exit(0)
  }
})

if (config.name === 'refuses') say({ kind: 'refused', reason: 'the fixture refuses' })
else if (config.name === 'dies') throw new Error('the fixture dies at once')
