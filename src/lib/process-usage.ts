import { cpuUsage, memoryUsage } from 'node:process'

/** What the whole process has used, all threads. */
export interface ProcessUsage {
  readonly cpuS: number
  readonly residentBytes: number
}

export function processUsage(): ProcessUsage {
  const { user, system } = cpuUsage()
  return { cpuS: (user + system) / 1e6, residentBytes: memoryUsage.rss() }
}
