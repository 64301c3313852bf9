import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../lib/clock.ts'
import { explain } from './explain.ts'
import type { ExplainBirth, ExplainOutcome } from './explain-in-thread.ts'

/** Explains what it is born with, says so once and is ended. */
async function outcomeOf({ asked, ...birth }: ExplainBirth): Promise<ExplainOutcome> {
  try {
    return { explanation: await explain(asked, { ...birth, clock: systemClock }) }
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) }
  }
}

if (parentPort !== null) parentPort.postMessage(await outcomeOf(workerData as ExplainBirth)) // as explainInThread gives it
