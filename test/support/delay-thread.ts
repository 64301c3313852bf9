/**
 * A real data thread that also says how long its event loop was held up: a line of JSON on standard output, which
 * control logs, each 100 ms. A resolution of 1 ms.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import '../../src/worker/thread.ts'

const histogram = monitorEventLoopDelay({ resolution: 1 })
histogram.enable()
setInterval(() => {
  process.stdout.write(`${JSON.stringify({ maxMs: histogram.max / 1e6 })}\n`)
  histogram.reset()
}, 100).unref()
