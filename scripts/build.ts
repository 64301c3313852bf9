/** `npm run build`: makes dist/, what is published, from src/, ui/ and the docs pages' assets. */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { assetOrigins } from '../src/docs/assets.ts'
import { ROOT, run, secondsSince, step } from './step.ts'

const DIST = join(ROOT, 'dist')
const STAGE = join(ROOT, `.build-${process.pid}`)

const startMs = performance.now()
const startedAt = new Date()

try {
  const ok =
    (await step('compile src', compile)) &&
    (await step('copy assets', copyAssets)) &&
    (await step('build the live page', buildPage)) &&
    (await step('put dist in place', place))
  if (ok) console.log(`── dist is built, ${secondsSince(startMs)}`)
  process.exitCode = ok ? 0 : 1
} finally {
  rmSync(STAGE, { recursive: true, force: true })
}

async function compile(): Promise<boolean> {
  return run('tsc', ['--project', 'tsconfig.build.json', '--outDir', STAGE])
}

async function copyAssets(): Promise<boolean> {
  const folder = join(STAGE, 'assets')
  mkdirSync(folder)
  for (const { name, from } of assetOrigins()) copyFileSync(from, join(folder, name))
  return true
}

async function buildPage(): Promise<boolean> {
  return run(process.execPath, ['ui/build.ts', join(STAGE, 'ui')])
}

/**
 * Only a whole build becomes dist. Its entry gets the time the build began: bin/nyro takes dist while no source is
 * newer than that, and a source saved during the build is.
 */
async function place(): Promise<boolean> {
  const entry = join(STAGE, 'main.js')
  if (!existsSync(entry)) {
    console.error('src/main.ts made no main.js')
    return false
  }
  utimesSync(entry, startedAt, startedAt)
  rmSync(DIST, { recursive: true, force: true })
  renameSync(STAGE, DIST)
  return true
}
