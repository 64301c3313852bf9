import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { ControlMessage, ThreadBirth, ThreadMessage } from '../worker/messages.ts'
import { LineSplitter } from './line-splitter.ts'

/** Why a thread is gone. */
export interface Death {
  /** One line: the error's code and message, or the exit code. */
  readonly reason: string
  readonly stack: string | null
}

/** What control hears of a thread. */
export interface ThreadListener {
  said(message: ThreadMessage): void
  /** Something in the thread wrote past the log. */
  printed(stream: 'stdout' | 'stderr', line: string): void
  /** Once, at the very end: nothing of the thread runs any more. */
  died(death: Death): void
}

/** A running data thread as control holds it. */
export interface DataThread {
  post(message: ControlMessage): void
  /** Ends it whatever it does; `died` follows. */
  kill(): void
}

/** A parameter of whoever starts threads, so that tests bring their own. */
export type StartDataThread = (birth: ThreadBirth, listener: ThreadListener) => DataThread

const ENTRY = new URL(`../worker/thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

export const startDataThread: StartDataThread = (birth, listener) => startThreadAt(ENTRY, birth, listener)

/** A data thread of another module, for tests of control; what `resourceLimits` leaves out is V8's own choice. */
export function startThreadAt(
  entry: URL,
  birth: ThreadBirth,
  listener: ThreadListener,
  resourceLimits: ResourceLimits = {},
): DataThread {
  // Without `stdout` and `stderr` Node would copy the thread's to the process's: a second writer, and an unbounded one.
  const worker = new Worker(entry, {
    workerData: birth,
    name: `data ${birth.row}`,
    stdout: true,
    stderr: true,
    resourceLimits,
  })
  let error: NodeJS.ErrnoException | null = null
  for (const stream of ['stdout', 'stderr'] as const) {
    const lines = new LineSplitter((line) => listener.printed(stream, line))
    worker[stream].setEncoding('utf8').on('data', (text: string) => lines.push(text))
  }
  worker.on('message', (message: ThreadMessage) => listener.said(message))
  worker.on('error', (thrown) => {
    error = thrown instanceof Error ? thrown : new Error(String(thrown))
  })
  worker.on('exit', (code) => listener.died(death(error, code)))
  return {
    post: (message) => worker.postMessage(message),
    kill: () => {
      worker.terminate()
    },
  }
}

function death(error: NodeJS.ErrnoException | null, code: number): Death {
  if (error === null) return { reason: `it ended with exit code ${code}`, stack: null }
  const reason = error.code === undefined ? error.message : `${error.code}: ${error.message}`
  return { reason, stack: error.stack ?? null }
}
