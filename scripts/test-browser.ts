/** `npm run test:browser`: the live page in Chromium. Installs Debian's where it may. */
import { existsSync } from 'node:fs'
import { CHROMIUM } from '../test/browser/chromium.ts'
import { ROOT, run, step } from './step.ts'

const APT_GET = '/usr/bin/apt-get'
const chosen = process.argv.slice(2)

const ok = (await step('a browser', provideBrowser)) && (await step('the live page', runTests))
process.exitCode = ok ? 0 : 1

async function provideBrowser(): Promise<boolean> {
  if (existsSync(CHROMIUM)) return true
  if (process.getuid?.() !== 0 || !existsSync(APT_GET)) {
    console.log(`${CHROMIUM} is missing; install: chromium (the name of Debian's package)`)
    return false
  }
  await run(APT_GET, ['update'])
  await run(APT_GET, ['install', '--yes', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'])
  return existsSync(CHROMIUM)
}

/** One file after the other: each has a browser and a gateway. */
async function runTests(): Promise<boolean> {
  const parameters = ['--test', '--test-reporter=spec', '--test-concurrency=1', '--test-timeout=120000']
  return run(process.execPath, [
    ...parameters,
    ...(chosen.length === 0 ? [`${ROOT}/test/browser/*.test.ts`] : chosen),
  ])
}
