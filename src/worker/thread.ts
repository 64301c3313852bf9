import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../lib/clock.ts'
import { LogRingWriter } from '../observe/log-ring.ts'
import { DataPlane } from './data-plane.ts'
import type { ControlMessage, ThreadBirth, ThreadMessage } from './messages.ts'
import { ThreadRollout } from './thread-rollout.ts'

type Port = NonNullable<typeof parentPort>

/** Wires one data thread: birth in workerData, control's messages in, its own out. */
async function run(birth: ThreadBirth, port: Port): Promise<void> {
  const say = (message: ThreadMessage): void => port.postMessage(message)
  const ring = new LogRingWriter(birth.memory.logRings[birth.row] as SharedArrayBuffer) // one a row, by contract
  const spans = new LogRingWriter(birth.memory.spanRings[birth.row] as SharedArrayBuffer) // the same
  try {
    const plane = await DataPlane.open({
      birth: { ...birth, memory: birth.memory.upstreams },
      clock: systemClock,
      random: Math.random,
      writeLine(line) {
        ring.write(line)
        if (ring.takeAttention()) say({ kind: 'lines' })
      },
      // Control looks by itself, as long as there is a trace to be kept.
      writeSpans: (line) => void spans.write(line),
      drained: () => say({ kind: 'drained' }),
    })
    obey(plane, port, say)
    const { host } = birth.config.listen
    const shared = birth.config.workers > 1 ? { reusePort: true } : {}
    await plane.listen({ host, port: birth.port, backlog: 4_096, ...shared })
    say({ kind: 'listening' })
  } catch (error) {
    say({ kind: 'refused', reason: error instanceof Error ? error.message : String(error) })
  }
}

/** What control said before waits in the port until somebody listens to it. */
function obey(plane: DataPlane, port: Port, say: (message: ThreadMessage) => void): void {
  const rollout = new ThreadRollout(plane, say)
  port.on('message', (message: ControlMessage) => {
    switch (message.kind) {
      case 'prepare':
      case 'routes':
      case 'commit':
      case 'drop':
        rollout.take(message)
        break
      case 'endpoints':
        plane.setEndpoints(message.upstream, message.endpoints)
        break
      case 'ask':
        say({ kind: 'answered', question: message.question })
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
