import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Cores } from './cores.ts'
import type { Options } from './option.ts'
import { type CaseReport, markdown } from './report.ts'
import { ROOT } from './stand.ts'
import { versionOf } from './tool.ts'

/** Writes bench/RESULTS.md; returns its path from the project's root. */
export function writeResults(
  reports: readonly CaseReport[],
  faults: readonly string[],
  options: Options,
  cores: Cores,
  argv: readonly string[],
): string {
  const path = 'bench/RESULTS.md'
  const parts = [
    '# Results',
    `Written by \`npm run bench\`, never by hand. What is measured and how: [README](README.md).`,
    facts(options, cores, argv),
    ...reports.map(section),
  ]
  if (faults.length > 0) parts.push('## Faults', faults.map((fault) => `- ${fault}`).join('\n'))
  writeFileSync(join(ROOT, path), `${parts.join('\n\n')}\n`)
  return path
}

function section(report: CaseReport): string {
  return [`## ${report.title}`, report.method, ...report.tables.map(markdown)].join('\n\n')
}

function facts(options: Options, cores: Cores, argv: readonly string[]): string {
  const pinned =
    cores.peer === null
      ? 'one core, nothing pinned'
      : `${cores.usable.length} usable cores; peers on core ${cores.peer}, upstream and load on ${cores.load}`
  const lines = [
    `- date: ${new Date().toISOString().slice(0, 10)}`,
    `- command: \`${['npm run bench', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' ')}\``,
    `- rounds: ${options.rounds} of ${options.seconds} s, interleaved`,
    `- commit: ${versionOf('git', ['-C', ROOT, 'describe', '--always', '--dirty'])}`,
    `- machine: ${cpus()[0]?.model ?? 'unknown'}, ${pinned}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `- Node ${process.version}, ${versionOf('haproxy', ['-v'])}, ${versionOf('nginx', ['-v'])}, ${versionOf('wrk', ['-v'])}`,
  ]
  return lines.join('\n')
}
