import { execFileSync, spawnSync } from 'node:child_process'

/** Debian's package for each program. */
const PACKAGES = { wrk: 'wrk', haproxy: 'haproxy', nginx: 'nginx-light', taskset: 'util-linux' } as const
type Tool = keyof typeof PACKAGES

/** Finds the programs, or installs them where that is allowed (root on Debian); else throws, saying what to install. */
export function ensureTools(say: (line: string) => void): void {
  const missing = absent()
  if (missing.length === 0) return
  const packages = missing.map((tool) => PACKAGES[tool])
  if (process.getuid?.() === 0 && isThere('apt-get')) {
    say(`installing ${packages.join(' ')}`)
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const options = { env, stdio: 'ignore' } as const
    spawnSync('apt-get', ['update', '-qq'], options)
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options)
  }
  const still = absent()
  if (still.length === 0) return
  throw new Error(
    `this needs ${still.join(', ')}: apt-get install ${still.map((tool) => PACKAGES[tool]).join(' ')}`,
  )
}

/** The first line a program says about its version. */
export function versionOf(command: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`.trim().split('\n', 1)[0]?.trim() ?? 'unknown'
}

function absent(): Tool[] {
  const tools: Tool[] = ['wrk', 'haproxy', 'nginx', 'taskset']
  return tools.filter((tool) => !isThere(tool))
}

function isThere(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
