import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../lib/clock.ts'
import { LogRingWriter } from '../observe/log-ring.ts'
import { DataPlane } from './data-plane.ts'
import type { ControlMessage, ThreadBirth, ThreadMessage } from './messages.ts'

/** Wires one data thread: birth in workerData, control's messages in, its own out. */
function run(birth: ThreadBirth, port: NonNullable<typeof parentPort>): void {
  const say = (message: ThreadMessage): void => port.postMessage(message)
  const ring = new LogRingWriter(birth.memory.logRings[birth.row] as SharedArrayBuffer) // one a row, by contract
  const plane = new DataPlane({
    birth: { ...birth, connections: birth.memory.connections },
    clock: systemClock,
    writeLine(line) {
      ring.write(line)
      if (ring.takeAttention()) say({ kind: 'lines' })
    },
    drained: () => say({ kind: 'drained' }),
  })
  port.on('message', (message: ControlMessage) => {
    switch (message.kind) {
      case 'addresses':
        plane.setAddresses(message.host, message.addresses)
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
  const { host } = birth.config.listen
  const shared = birth.config.workers > 1 ? { reusePort: true } : {}
  plane.listen({ host, port: birth.port, backlog: 4_096, ...shared }).then(
    () => say({ kind: 'listening' }),
    (error: NodeJS.ErrnoException) => say({ kind: 'refused', reason: error.message }),
  )
}

if (parentPort !== null) run(workerData as ThreadBirth, parentPort)
