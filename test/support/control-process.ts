/**
 * A whole gateway process for tests of control, with `control-thread.ts` for its data threads. Settings come as JSON
 * in the first argument. Signals drain it, as `nyro start` does; the pool can be stuck with jobs that never end.
 */
import { readFile } from 'node:fs'
import { startThreadAt } from '../../src/control/data-thread.ts'
import { Supervisor } from '../../src/control/supervisor.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { VERSION } from '../../src/lib/version.ts'
import { type ControlSettings, controlConfig } from './control-config.ts'

const { fifo, ...settings } = JSON.parse(process.argv[2] ?? '{}') as ControlSettings & {
  readonly fifo?: string
}
const entry = new URL('./control-thread.ts', import.meta.url)

const supervisor = new Supervisor({
  config: controlConfig(settings),
  warnings: [],
  pid: process.pid,
  version: VERSION,
  nodeVersion: process.versions.node,
  output: { fd: 1, isTty: false, colors: false },
  clock: systemClock,
  stateDir: null,
  reload: null,
  parts: { startThread: (birth, listener) => startThreadAt(entry, birth, listener) },
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => supervisor.drain(signal))

try {
  await supervisor.start()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? `${error.name}: ${error.message}` : error}\n`)
  process.exit(1)
}
// Nobody ever opens the other end: four opens fill libuv's pool for good.
if (fifo !== undefined) for (let job = 0; job < 4; job++) readFile(fifo, () => {})
process.exit(await supervisor.ended)
