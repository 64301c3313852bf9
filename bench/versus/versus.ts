import type { Bench, Case } from './bench.ts'
import { bodies } from './case/bodies.ts'
import { cold } from './case/cold.ts'
import { idle } from './case/idle.ts'
import { observed } from './case/observed.ts'
import { refusals } from './case/refusals.ts'
import { routes } from './case/routes.ts'
import { stall } from './case/stall.ts'
import { start } from './case/start.ts'
import { throughput } from './case/throughput.ts'
import { traffic } from './case/traffic.ts'
import { workers } from './case/workers.ts'
import { type CaseName, type Options, parseOptions, USAGE } from './option.ts'
import { pin } from './process-tree.ts'
import { type CaseReport, plain } from './report.ts'
import { writeResults } from './result.ts'
import { Stand, startUpstream } from './stand.ts'
import { ensureTools } from './tool.ts'

/** Measures the gateway side by side with its peers: `npm run bench`. See bench/README.md. */
const CASES: Record<CaseName, Case> = {
  throughput,
  cold,
  refusals,
  bodies,
  idle,
  workers,
  routes,
  observed,
  traffic,
  start,
  stall,
}

const began = performance.now()

function say(line: string): void {
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stdout.write(`[${String(seconds).padStart(4)} s] ${line}\n`)
}

async function main(options: Options): Promise<number> {
  // Servers live in sbin, which an ordinary user's path lacks.
  const { PATH = '' } = process.env
  process.env = { ...process.env, PATH: `${PATH}:/usr/sbin:/sbin` }
  ensureTools(say)
  const stand = new Stand()
  process.once('exit', () => stand.kill())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  if (stand.cores.load !== null) pin(process.pid, stand.cores.load)
  else say('one core only: peers, upstream and load share it, and the figures mean little')

  const bench: Bench = { stand, upstream: await startUpstream(stand), options, say }
  const reports: CaseReport[] = []
  const faults: string[] = []
  for (const name of options.cases) {
    const mark = stand.mark
    try {
      const report = await CASES[name](bench)
      if (report === null) continue
      reports.push(report)
      faults.push(...report.faults)
      for (const table of report.tables) process.stdout.write(`\n${plain(table)}\n`)
      process.stdout.write('\n')
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      say(`${name} failed: ${faults.at(-1)}`)
    }
    await stand.stopSince(mark)
  }
  await stand.close()

  for (const fault of faults) say(`FAULT ${fault}`)
  if (options.write || (options.complete && faults.length === 0)) {
    say(`written: ${writeResults(reports, faults, options, stand.cores, process.argv.slice(2))}`)
  }
  return faults.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`)
  process.exitCode = 2
}
