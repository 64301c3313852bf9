import { configDifference } from '../config/difference.ts'
import type { Loaded, LoadedConfig } from '../config/loaded.ts'
import { stateDir } from '../config/state-dir.ts'
import { Supervisor } from '../control/supervisor.ts'
import { systemClock } from '../lib/clock.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Where a config came from, for whoever loads it again. */
export interface LoadedFrom {
  readonly load: () => Promise<Loaded>
  /** Wall clock, before it was loaded. */
  readonly sinceMs: number
}

/** A supervisor for this config in this process; not started. */
export function supervisorFor(
  edge: ProcessEdge,
  { config, warnings, files }: LoadedConfig,
  { load, sinceMs }: LoadedFrom,
): Supervisor {
  return new Supervisor({
    config,
    warnings,
    pid: edge.pid,
    version: edge.version,
    nodeVersion: edge.nodeVersion,
    output: { fd: edge.stdoutFd, isTty: edge.isTty, colors: edge.colors },
    clock: systemClock,
    stateDir: stateDir(edge),
    reload: { load, differ: configDifference, files, sinceMs },
  })
}
