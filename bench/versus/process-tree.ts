import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** proc_pid_stat(5) counts in USER_HZ, which is 100 on every Linux that Node runs on. */
const TICK_US = 10_000

export interface CpuTime {
  readonly userUs: number
  readonly systemUs: number
}

/** A process and all its descendants, as they are now. */
export function treeOf(root: number): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    const parent = Number(statOf(pid)?.[1])
    const siblings = childrenOf.get(parent)
    if (siblings === undefined) childrenOf.set(parent, [pid])
    else siblings.push(pid)
  }
  const tree: number[] = []
  const pending = [root]
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    tree.push(pid)
    pending.push(...(childrenOf.get(pid) ?? []))
  }
  return tree
}

/** CPU time of a whole tree since its start, children that have ended and been waited for included. */
export function cpuOf(root: number): CpuTime {
  let user = 0
  let system = 0
  for (const pid of treeOf(root)) {
    const stat = statOf(pid)
    if (stat === null) continue
    user += Number(stat[11]) + Number(stat[13])
    system += Number(stat[12]) + Number(stat[14])
  }
  return { userUs: user * TICK_US, systemUs: system * TICK_US }
}

/** Reads the CPU time of a whole tree lap by lap: nothing falls between two of them. */
export class CpuMeter {
  readonly #root: number
  #last: CpuTime

  constructor(root: number) {
    this.#root = root
    this.#last = cpuOf(root)
  }

  /** Since the last lap, the first time since the meter's beginning. */
  lap(): CpuTime {
    const { userUs, systemUs } = this.#last
    this.#last = cpuOf(this.#root)
    return { userUs: this.#last.userUs - userUs, systemUs: this.#last.systemUs - systemUs }
  }
}

/** Resident bytes of a whole tree; pages shared between its processes count once for each. */
export function residentBytesOf(root: number): number {
  let bytes = 0
  for (const pid of treeOf(root)) bytes += residentBytesOfProcess(pid)
  return bytes
}

export function residentBytesOfProcess(pid: number): number {
  const status = readOrNull(`/proc/${pid}/status`)
  const kib = status === null ? undefined : /^VmRSS:\s*(\d+)/m.exec(status)?.[1]
  return Number(kib ?? 0) * 1024
}

/** Moves every thread of a whole tree; threads started later inherit it. */
export function pin(root: number, cores: string): void {
  for (const pid of treeOf(root)) {
    try {
      execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' })
    } catch (error) {
      if (statOf(pid) !== null) throw error
    }
  }
}

/** The fields from the third on (state, parent, …), or null if the process is gone. */
function statOf(pid: number): readonly string[] | null {
  const text = readOrNull(`/proc/${pid}/stat`)
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return null
  }
}
