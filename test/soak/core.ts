import { execFileSync, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** taskset's lists: the gateway has the first core, origin and client the second; null where that cannot be. */
export interface CorePlan {
  readonly gateway: string | null
  readonly load: string | null
}

export function planCores(): CorePlan {
  const canPin = process.platform === 'linux' && availableParallelism() > 1 && hasTaskset()
  if (!canPin) return { gateway: null, load: null }
  const list = execFileSync('taskset', ['-c', '-p', String(process.pid)], { encoding: 'utf8' })
  const cores = expand(list.slice(list.lastIndexOf(':') + 1).trim())
  const [first, second] = cores
  if (first === undefined || second === undefined) return { gateway: null, load: null }
  return { gateway: String(first), load: String(second) }
}

/** The command line that runs a program on those cores. */
export function pinned(cores: string | null, command: string, args: readonly string[]): [string, string[]] {
  return cores === null ? [command, [...args]] : ['taskset', ['-c', cores, command, ...args]]
}

function hasTaskset(): boolean {
  return spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0
}

function expand(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, index) => from + index)
  })
}
