import { parseArgs } from 'node:util'
import { SeedLedger } from './seed-ledger.ts'
import { runSeed, type SeedResult } from './seed-run.ts'

/**
 * `npm run soak -- --seeds 1-10 --exchanges 1000000`: exchanges through a running gateway while clients and upstreams
 * misbehave. An interrupted run goes on with the first seed that is not finished; `--fresh` starts over.
 */
const USAGE =
  'usage: npm run soak -- [--seeds 1-10] [--exchanges 1000000] [--lanes 48] [--bound SECONDS] [--fresh]'
const PROGRESS_MS = 5_000

interface Options {
  readonly seeds: readonly number[]
  readonly exchanges: number
  readonly lanes: number
  readonly boundMs: number
  readonly fresh: boolean
}

function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string', default: '1' },
      exchanges: { type: 'string', default: '1000000' },
      lanes: { type: 'string', default: '48' },
      bound: { type: 'string', default: '20' },
      fresh: { type: 'boolean', default: false },
    },
  })
  return {
    seeds: seedList(values.seeds),
    exchanges: positive('exchanges', values.exchanges),
    lanes: positive('lanes', values.lanes),
    boundMs: positive('bound', values.bound) * 1_000,
    fresh: values.fresh,
  }
}

function seedList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [from = '', to = from] = part.split('-')
    const first = positive('seeds', from)
    const last = positive('seeds', to)
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
  })
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} takes whole numbers from 1, not ${text}`)
  return value
}

async function main(options: Options): Promise<number> {
  const ledger = new SeedLedger(options.exchanges)
  const results: SeedResult[] = []
  for (const seed of options.seeds) {
    const known = options.fresh ? null : ledger.read(seed)
    if (known !== null) {
      process.stdout.write(`seed ${seed}: passed before with these sources\n`)
      results.push(known)
      continue
    }
    const result = await runSeed({ ...options, seed, progress: progressWriter(seed, options.exchanges) })
    for (const fault of result.faults) process.stdout.write(`seed ${seed} FAULT ${fault}\n`)
    for (const note of result.notes) process.stdout.write(`seed ${seed} note ${note}\n`)
    if (result.faults.length === 0) ledger.write(result)
    results.push(result)
  }
  process.stdout.write(`\n${summary(results)}\n`)
  return results.every(({ faults }) => faults.length === 0) ? 0 : 1
}

function progressWriter(
  seed: number,
  exchanges: number,
): (settled: number, perSecond: number, bytes: number) => void {
  let lastMs = performance.now()
  return (settled, perSecond, bytes) => {
    if (performance.now() - lastMs < PROGRESS_MS) return
    lastMs = performance.now()
    const share = ((100 * settled) / exchanges).toFixed(1)
    const rate = Math.round(perSecond)
    process.stdout.write(
      `seed ${seed}  ${settled} (${share}%)  ${rate}/s  ${mebibytes(bytes)} MiB resident\n`,
    )
  }
}

function summary(results: readonly SeedResult[]): string {
  const endings = [...new Set(results.flatMap(({ counts }) => Object.keys(counts)))].sort()
  const head = [
    'seed',
    'exchanges',
    ...endings,
    'spoilt',
    're-used',
    '/s',
    'RSS 1st half',
    '2nd half',
    'peak MiB',
    'result',
  ]
  const rows = results.map(({ seed, exchanges, counts, victims, reuse, seconds, resident, faults }) => [
    String(seed),
    String(exchanges),
    ...endings.map((ending) => String(counts[ending] ?? 0)),
    String(victims),
    `${Math.round(100 * reuse)}%`,
    Math.round(exchanges / seconds).toString(),
    mebibytes(resident.firstBytes),
    mebibytes(resident.secondBytes),
    mebibytes(resident.peakBytes),
    faults.length === 0 ? 'passed' : `FAILED (${faults.length})`,
  ])
  const table = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)))
  return table
    .map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
    .join('\n')
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`)
  process.exitCode = 2
}
