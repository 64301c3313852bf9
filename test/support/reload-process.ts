/**
 * A whole gateway process with real data threads, whose config is a file of JSON: exactly a Config, so that tests of
 * reloading need no door. Watches it, and obeys SIGHUP and the admin listener as `nyro start` does. Says on its
 * standard output what the log says; `delay` in the second argument adds what the data threads' event loops suffered.
 */
import { readFileSync } from 'node:fs'
import type { Config } from '../../src/config/config.ts'
import { configDifference } from '../../src/config/difference.ts'
import { startDataThread, startThreadAt } from '../../src/control/data-thread.ts'
import { Supervisor } from '../../src/control/supervisor.ts'
import { systemClock } from '../../src/lib/clock.ts'

const [, , path = '', measured = ''] = process.argv
const DELAYED = new URL('./delay-thread.ts', import.meta.url)

function read(): Config {
  return JSON.parse(readFileSync(path, 'utf8')) as Config
}

const supervisor = new Supervisor({
  config: read(),
  warnings: [],
  pid: process.pid,
  version: '0.0.0-test',
  nodeVersion: process.versions.node,
  output: { fd: 1, isTty: false, colors: false },
  clock: systemClock,
  stateDir: null,
  reload: {
    load: async () => ({ config: read(), warnings: [], files: [path] }),
    differ: configDifference,
    files: [path],
    sinceMs: Number.POSITIVE_INFINITY,
  },
  parts: {
    startThread: (birth, listener) =>
      measured === 'delay' ? startThreadAt(DELAYED, birth, listener) : startDataThread(birth, listener),
  },
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => supervisor.drain(signal))
process.on('SIGHUP', () => void supervisor.reload('signal'))
await supervisor.start()
process.exit(await supervisor.ended)
