/**
 * A process that logs from control and three threads as fast as they can, for as long as its standard input is open,
 * then closes its log and exits. Standard error gets `beat <n> <lines lost>` each 20 ms, and at the end the counts as JSON.
 */
import { Worker } from 'node:worker_threads'
import { openLogOutput } from '../../src/control/log-output.ts'
import { LogWriter } from '../../src/control/log-writer.ts'
import { startTimer } from '../../src/control/start-timer.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createLogRing } from '../../src/observe/log-ring.ts'

const PRODUCERS = 3
/** Each 2 ms, of each producer. */
const BATCH_LINES = 100

const PRODUCER = `
const { parentPort, workerData } = require('node:worker_threads')
import(workerData.module).then(({ LogRingWriter }) => {
  const writer = new LogRingWriter(workerData.ring)
  let index = 0
  let lost = 0
  const timer = setInterval(() => {
    for (let line = 0; line < workerData.lines; line++, index++) {
      const text = JSON.stringify({ producer: workerData.producer, index, pad: 'x'.repeat((index * 31) % 400), again: index })
      if (!writer.write(text)) lost++
    }
  }, 2)
  parentPort.on('message', () => {
    clearInterval(timer)
    parentPort.postMessage({ written: index - lost, lost })
    parentPort.close()
  })
})`

const rings = Array.from({ length: PRODUCERS }, createLogRing)
const log = new LogWriter({
  output: openLogOutput(1),
  rings,
  level: 'info',
  render: null,
  clock: systemClock,
  startTimer,
})
log.start()

const module = new URL('../../src/observe/log-ring.ts', import.meta.url).href
const producers = rings.map(
  (ring, producer) =>
    new Worker(PRODUCER, { eval: true, workerData: { module, ring, producer, lines: BATCH_LINES } }),
)

let beats = 0
const beat = setInterval(() => process.stderr.write(`beat ${++beats} ${log.dropped}\n`), 20)

process.stdin.resume().on('end', async () => {
  clearInterval(beat)
  const counts = await Promise.all(
    producers.map(
      (producer) =>
        new Promise<{ readonly written: number; readonly lost: number }>((resolve) => {
          producer.once('message', resolve)
          producer.postMessage('end')
        }),
    ),
  )
  await log.close(30_000)
  const written = counts.reduce((sum, each) => sum + each.written, 0)
  process.stderr.write(`${JSON.stringify({ written, lost: log.dropped })}\n`)
  process.exit(0)
})
