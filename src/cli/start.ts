import { systemClock } from '../lib/clock.ts'
import { type Arguments, optionValue } from './arguments.ts'
import { JudgedLoad } from './judged-load.ts'
import { loadSettings } from './load-settings.ts'
import type { ProcessEdge, StopSignal } from './process-edge.ts'
import { describeRefusal } from './refusal.ts'

/** Runs the gateway until a signal ends it. Exits 0 after a drain, 1 if it could not run, 2 on bad settings. */
export async function start(edge: ProcessEdge, given: Arguments): Promise<void> {
  // Before anything else: until somebody listens, Node opens a debugger's port for this signal.
  let reopenLog = (): void => {}
  edge.onReopen(() => reopenLog())
  const sinceMs = systemClock.wallMs()
  const { load } = new JudgedLoad(() => loadSettings(edge, optionValue(given, 'config')))
  const loaded = await load()
  if (loaded.config === null) {
    edge.complain(describeRefusal('nothing was started', loaded.problems, loaded.warnings))
    return edge.exit(loaded.exitCode)
  }
  const { supervisorFor } = await import('./supervisor-for.ts')
  const { StartRefusal } = await import('../control/start-refusal.ts')
  const supervisor = supervisorFor(edge, loaded, { load, sinceMs })
  reopenLog = () => supervisor.reopenLog()
  drainOnSignal(edge, supervisor)
  edge.onReload(() => void supervisor.reload('signal'))
  try {
    await supervisor.start()
  } catch (error) {
    if (!(error instanceof StartRefusal)) throw error
    edge.complain(`nyro: ${error.message}\n`)
    return edge.exit(1)
  }
  edge.exit(await supervisor.ended)
}

/** The first signal drains; the second, of either kind, ends the process whatever still runs. */
export function drainOnSignal(
  edge: ProcessEdge,
  supervisor: { readonly drain: (signal: StopSignal) => void },
): void {
  let draining = false
  edge.onSignal((signal) => {
    if (draining) return edge.kill(signal)
    draining = true
    supervisor.drain(signal)
  })
}
