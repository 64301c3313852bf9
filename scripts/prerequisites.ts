import { existsSync } from 'node:fs'
import { missingPrerequisites } from '../test/support/prerequisites.ts'
import { run } from './step.ts'

const APT_GET = '/usr/bin/apt-get'

/** Finds what tests need from the system; installs it where that is possible, says what to install where it is not. */
export async function providePrerequisites(): Promise<boolean> {
  const path = process.env['PATH'] ?? ''
  const missing = missingPrerequisites(path)
  if (missing.length === 0) return true
  for (const { command, purpose } of missing)
    console.log(`${command} is missing; the suite needs it to ${purpose}`)
  const packages = missing.map(({ debianPackage }) => debianPackage)
  if (process.getuid?.() !== 0 || !existsSync(APT_GET)) {
    console.log(`install: ${packages.join(' ')} (names of Debian's packages)`)
    return false
  }
  await run(APT_GET, ['update'])
  await run(APT_GET, ['install', '--yes', '--no-install-recommends', ...packages])
  return missingPrerequisites(path).length === 0
}
