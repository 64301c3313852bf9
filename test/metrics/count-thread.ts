/** Counts exchanges in a row of its own, says when it has, and waits to be ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { endedExchange } from './metrics-source.ts'

export interface CountOrder {
  readonly memory: SharedArrayBuffer
  readonly row: number
  /** Routes to count, each a different number of times: `times` plus its index. */
  readonly routes: readonly string[]
  readonly times: number
}

const { memory, row, routes, times } = workerData as CountOrder
const metrics = new ThreadMetrics(memory, row)
for (const [index, route] of routes.entries()) {
  const series = metrics.seriesOf(route)
  const exchange = endedExchange({ series, tenant: `tenant-${index}` })
  for (let time = 0; time < times + index; time++) metrics.record(exchange)
}
parentPort?.on('message', () => {})
parentPort?.postMessage('counted')
