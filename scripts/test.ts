/** `npm test`: everything. `npm test -- FILE…`: those test files, or folders of them; options go to Node's runner. */
import { globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { providePrerequisites } from './prerequisites.ts'
import { ROOT, run, secondsSince, step } from './step.ts'

const ALL = 'test/**/*.test.ts'
/** Takes a browser: `npm run test:browser`. */
const BROWSER = 'test/browser/**'

const startMs = performance.now()
const chosen = process.argv.slice(2)
const failed: string[] = []

async function take(name: string, work: () => Promise<boolean>): Promise<void> {
  if (!(await step(name, work))) failed.push(name)
}

await take('what tests need from the system', providePrerequisites)
if (chosen.length === 0) {
  await take('format and lint', () =>
    run('biome', ['check', '--error-on-warnings', '--max-diagnostics=none', '.']),
  )
  await take('types', () => run('tsc', ['--noEmit']))
  await take('types of the live page', () => run('tsc', ['--noEmit', '--project', 'ui']))
  // Gateways that tests start run what is built as long as it is as new as the sources, and start in half the time.
  await take('build', () => run(process.execPath, ['scripts/build.ts']))
}
console.log('── tests')
if (!(await run(process.execPath, runnerParameters(chosen)))) failed.push('tests')

// To standard error: on standard output the runner's own count closes.
console.error(
  `── ${secondsSince(startMs)} in all${failed.length === 0 ? '' : `; FAILED: ${failed.join(', ')}`}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

function runnerParameters(given: readonly string[]): string[] {
  const options = given.filter((parameter) => parameter.startsWith('-'))
  const files = given.filter((parameter) => !parameter.startsWith('-')).map(withFolderContents)
  return [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${availableParallelism()}`,
    // A test that hangs is named and fails; no single one takes a minute.
    '--test-timeout=120000',
    ...options,
    ...(files.length === 0 ? globSync(ALL, { cwd: ROOT, exclude: [BROWSER] }) : files),
  ]
}

function withFolderContents(given: string): string {
  const isFolder = statSync(join(ROOT, given), { throwIfNoEntry: false })?.isDirectory() ?? false
  return isFolder ? `${given.replace(/\/+$/, '')}/**/*.test.ts` : given
}
