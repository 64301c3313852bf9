import { readFileSync } from 'node:fs'

/** Which cores do what: lists as taskset takes them ("0", "2,3"), or null where there is only one core to share. */
export interface Cores {
  /** Every core this process may use. */
  readonly usable: readonly number[]
  readonly peer: string | null
  /** Two peer cores for the two-worker case; shared with the load where there are only two. */
  readonly peerPair: string | null
  readonly load: string | null
}

export function planCores(): Cores {
  const usable = usableCores()
  const [first, second, third] = usable
  if (first === undefined || second === undefined) return { usable, peer: null, peerPair: null, load: null }
  const pair = `${first},${second}`
  const load = third === undefined ? String(second) : usable.slice(2).join(',')
  return { usable, peer: String(first), peerPair: pair, load }
}

/** Time a core has spent since boot, in clock ticks. */
export interface CoreTime {
  readonly busy: number
  readonly stolen: number
  readonly total: number
}

export function coreTimes(cores: string): CoreTime {
  const wanted = new Set(cores.split(',').map((core) => `cpu${core}`))
  let busy = 0
  let stolen = 0
  let total = 0
  for (const line of readFileSync('/proc/stat', 'latin1').split('\n')) {
    const [name, ...columns] = line.split(' ')
    if (name === undefined || !wanted.has(name)) continue
    const ticks = columns.map(Number)
    const at = (index: number): number => ticks[index] ?? 0
    // proc_stat(5): user nice system idle iowait irq softirq steal; guest time is within user.
    const idle = at(3) + at(4)
    const all = idle + at(0) + at(1) + at(2) + at(5) + at(6) + at(7)
    stolen += at(7)
    total += all
    busy += all - idle - at(7)
  }
  return { busy, stolen, total }
}

/** Shares of the time between two readings, 0 … 1. */
export function coreShare(before: CoreTime, after: CoreTime): { busy: number; stolen: number } {
  const total = Math.max(1, after.total - before.total)
  return { busy: (after.busy - before.busy) / total, stolen: (after.stolen - before.stolen) / total }
}

function usableCores(): number[] {
  const status = readFileSync('/proc/self/status', 'latin1')
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0'
  const cores: number[] = []
  for (const range of list.split(',')) {
    const [from = '0', to = from] = range.split('-')
    for (let core = Number(from); core <= Number(to); core++) cores.push(core)
  }
  return cores
}
