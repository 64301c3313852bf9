import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')

/** What a program is started with: the tools of node_modules first, and none of the developer's own gateway settings. */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(gateway|nyro)_/i.test(name))),
  PATH: [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
}

const LONGEST_MS = 10 * 60_000
const INTERRUPTED_MS = 10_000

/**
 * Runs a program on this process's own terminal, so that all it says is seen as it says it. Resolves to its success.
 * After ten minutes, twice what the whole suite may take, it is interrupted: Node's test runner then names what it
 * was waiting for.
 */
export async function run(program: string, parameters: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { cwd: ROOT, env: ENVIRONMENT, stdio: 'inherit' })
    const interrupt = setTimeout(() => child.kill('SIGINT'), LONGEST_MS)
    const end = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS + INTERRUPTED_MS)
    const finish = (ok: boolean): void => {
      clearTimeout(interrupt)
      clearTimeout(end)
      resolve(ok)
    }
    child.once('error', (error) => {
      console.error(`${program}: ${error.message}`)
      finish(false)
    })
    child.once('close', (code) => finish(code === 0))
  })
}

/** Names a piece of work before it and, with the time it took, after it. */
export async function step(name: string, work: () => Promise<boolean>): Promise<boolean> {
  const startMs = performance.now()
  console.log(`── ${name}`)
  const ok = await work()
  console.log(`── ${name}: ${ok ? 'ok' : 'FAILED'}, ${secondsSince(startMs)}`)
  return ok
}

export function secondsSince(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`
}
