import type { ListenOptions } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../lib/clock.ts'
import { ThreadMetrics } from '../metrics/thread-metrics.ts'
import { LogRingWriter } from '../observe/log-ring.ts'
import { DataPlane } from './data-plane.ts'
import type { ControlMessage, ListenMessage, ThreadBirth, ThreadMessage } from './messages.ts'
import { ThreadIdentity } from './thread-identity.ts'
import { ThreadRollout } from './thread-rollout.ts'
import { ThreadSampler } from './thread-sampler.ts'

type Port = NonNullable<typeof parentPort>

/** Wires one data thread: birth in workerData, control's messages in, its own out. */
async function run(birth: ThreadBirth, port: Port): Promise<void> {
  const say = (message: ThreadMessage): void => port.postMessage(message)
  const ring = new LogRingWriter(birth.memory.logRings[birth.row] as SharedArrayBuffer) // one a row, by contract
  const metrics = new ThreadMetrics(birth.memory.metrics, birth.row)
  const identity = new ThreadIdentity({ birth: birth.identity, clock: systemClock, ask: say, tally: metrics })
  const spans = new LogRingWriter(birth.memory.spanRings[birth.row] as SharedArrayBuffer) // the same
  try {
    const plane = await DataPlane.open({
      birth,
      identity,
      clock: systemClock,
      random: Math.random,
      writeLine(line) {
        ring.write(line)
        if (ring.takeAttention()) say({ kind: 'lines' })
      },
      gate: (message) => say({ kind: 'gate', message }),
      // Control looks by itself, as long as there is a trace to be kept, and sooner if it is told.
      writeSpans(line) {
        spans.write(line)
        if (spans.takeAttention()) say({ kind: 'spans' })
      },
      drained: () => say({ kind: 'drained' }),
      second: (second) => say({ kind: 'second', second }),
      metrics,
    })
    const shared = birth.config.workers > 1 ? { reusePort: true } : {}
    obey(plane, identity, port, say, (where) => void listen(plane, { ...where, ...shared }).then(say))
    new ThreadSampler(plane, metrics).start()
  } catch (error) {
    say(refused(error))
  }
}

async function listen(plane: DataPlane, where: ListenOptions): Promise<ThreadMessage> {
  try {
    await plane.listen({ ...where, backlog: 4_096 })
    return { kind: 'listening' }
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    return isTaken ? { kind: 'taken' } : refused(error)
  }
}

function refused(error: unknown): ThreadMessage {
  return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) }
}

/** What control said before waits in the port until somebody listens to it. */
function obey(
  plane: DataPlane,
  identity: ThreadIdentity,
  port: Port,
  say: (message: ThreadMessage) => void,
  listen: (where: Pick<ListenMessage, 'host' | 'port'>) => void,
): void {
  const rollout = new ThreadRollout(plane, say)
  port.on('message', (message: ControlMessage) => {
    switch (message.kind) {
      case 'listen':
        listen({ host: message.host, port: message.port })
        break
      case 'prepare':
      case 'routes':
      case 'commit':
      case 'drop':
        rollout.take(message)
        break
      case 'endpoints':
        plane.setEndpoints(message.upstream, message.endpoints)
        break
      case 'signing-key':
        plane.setSigningKey(message.key)
        break
      case 'gate':
        plane.gate(message.message)
        break
      case 'keys':
      case 'keys-checked':
        identity.take(message)
        break
      case 'revocations':
        say(plane.revoke(message))
        break
      case 'ask':
        say({ kind: 'answered', question: message.question })
        break
      case 'level':
        plane.setLogLevel(message.level)
        break
      case 'drain':
        plane.drain()
        break
      case 'close':
        plane.close()
        break
      case 'end':
        plane.destroy()
        port.close()
        break
    }
  })
}

if (parentPort !== null) void run(workerData as ThreadBirth, parentPort)
