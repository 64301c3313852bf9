import { parentPort, workerData } from 'node:worker_threads'
import { Wire } from '../http1/wire.ts'
import { systemClock } from '../lib/clock.ts'
import { isLogged, logLine } from '../observe/log-line.ts'
import { LogRingWriter } from '../observe/log-ring.ts'
import { loadUserPolicies, type UserPolicies } from '../policies/user/load-user-policies.ts'
import { describePolicyProblem } from '../policies/user/policy-problem.ts'
import { DataPlane } from './data-plane.ts'
import type { ControlMessage, ThreadBirth, ThreadMessage } from './messages.ts'

/** Wires one data thread: birth in workerData, control's messages in, its own out. */
async function run(birth: ThreadBirth, port: NonNullable<typeof parentPort>): Promise<void> {
  const say = (message: ThreadMessage): void => port.postMessage(message)
  const ring = new LogRingWriter(birth.memory.logRings[birth.row] as SharedArrayBuffer) // one a row, by contract
  const writeLine = (line: string): void => {
    ring.write(line)
    if (ring.takeAttention()) say({ kind: 'lines' })
  }
  const wire = new Wire(systemClock.monotonicMs)
  const userPolicies = await policiesOf(birth, wire, writeLine)
  if (userPolicies.problems.length > 0) {
    say({ kind: 'refused', reason: userPolicies.problems.map(describePolicyProblem).join('; ') })
    return
  }
  const plane = new DataPlane({
    birth: { ...birth, connections: birth.memory.connections },
    clock: systemClock,
    wire,
    userPolicies,
    writeLine,
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

function policiesOf(
  { config }: ThreadBirth,
  wire: Wire,
  writeLine: (line: string) => void,
): Promise<UserPolicies> {
  return loadUserPolicies(config.routes, {
    tenantField: config.tenant.header,
    clock: systemClock,
    wheel: wire.wheel,
    log(level, event, fields) {
      if (isLogged(level, config.log.level))
        writeLine(logLine(systemClock.wallMs(), level, 'nyro.policy', event, fields))
    },
  })
}

if (parentPort !== null) void run(workerData as ThreadBirth, parentPort)
