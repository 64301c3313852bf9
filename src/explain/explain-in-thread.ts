import { Worker } from 'node:worker_threads'
import type { Config } from '../config/config.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import type { IdentityBirth } from '../worker/thread-identity.ts'
import type { Asked } from './asked.ts'
import type { Explanation } from './explanation.ts'

const ENTRY = new URL(`./explain-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
const LIMIT_MS = 10_000

/** What the thread is born with (workerData). */
export interface ExplainBirth {
  readonly asked: Asked
  readonly config: Config
  readonly live: readonly LiveUpstream[]
  /** What the running threads share; null where nothing runs. */
  readonly memory: SharedArrayBuffer | null
  /** What threads know of published keys and revocations. */
  readonly identity: IdentityBirth
}

export type ExplainOutcome =
  | { readonly explanation: Explanation; readonly fault?: never }
  /** One line for the operator. */
  | { readonly fault: string; readonly explanation?: never }

/**
 * Explains in a thread of its own that ends with it: compiling a large table delays nobody, and an operator's policies
 * run where they can do no harm. Never rejects.
 */
export function explainInThread(birth: ExplainBirth): Promise<ExplainOutcome> {
  // Captured and dropped: what an author's code prints would end up between the lines of an answer in JSON.
  const worker = new Worker(ENTRY, { workerData: birth, name: 'explain', stdout: true, stderr: true })
  worker.stdout.resume()
  worker.stderr.resume()
  const { promise, resolve } = Promise.withResolvers<ExplainOutcome>()
  const timer = setTimeout(() => resolve({ fault: `it took longer than ${LIMIT_MS / 1_000} s` }), LIMIT_MS)
  worker.on('message', resolve)
  worker.on('error', (error: unknown) =>
    resolve({ fault: error instanceof Error ? error.message : String(error) }),
  )
  worker.on('exit', () => resolve({ fault: 'its thread ended early' }))
  return promise.finally(async () => {
    clearTimeout(timer)
    await worker.terminate()
  })
}
