/** A process that asks one limit in Redis as fast as it can for a second after it is told to, and says what it got. */
import { once } from 'node:events'
import { rateRule } from './limit-parts.ts'
import { RedisStage } from './redis-stage.ts'

const [, , url = ''] = process.argv
const rule = rateRule(100, 1_000, 30, 'three processes')
// A machine that is busy with other tests is no failing store.
using stage = await RedisStage.open(url, 10_000)
process.send?.('ready')
await once(process, 'message')
const endMs = performance.now() + 1_050
let admitted = 0
while (performance.now() < endMs) admitted += await stage.admitted(4, 'acme', rule)
process.send?.({ admitted, fallbacks: stage.limiter.fallbacks })
process.disconnect?.()
