import type { Config } from '../config/config.ts'
import { Supervisor } from '../control/supervisor.ts'
import { systemClock } from '../lib/clock.ts'
import type { ProcessEdge } from './process-edge.ts'

/** A supervisor for this config in this process; not started. */
export function supervisorFor(edge: ProcessEdge, config: Config, warnings: readonly string[]): Supervisor {
  return new Supervisor({
    config,
    warnings,
    pid: edge.pid,
    version: edge.version,
    nodeVersion: edge.nodeVersion,
    output: { fd: edge.stdoutFd, isTty: edge.isTty, colors: edge.colors },
    clock: systemClock,
  })
}
