import { Worker } from 'node:worker_threads'
import type { PolicyRoute } from './load-user-policies.ts'
import type { PolicyFile } from './policy-file.ts'
import { oneLine, type PolicyProblem } from './policy-problem.ts'

const ENTRY = new URL(`./judge-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
const DEFAULT_LIMIT_MS = 10_000

/** What the thread is born with (workerData). */
export interface JudgeBirth {
  readonly routes: readonly PolicyRoute[]
  readonly tenantField: string
}

export interface JudgedPolicies {
  /** All there are; with any, the config is not to be used. */
  readonly problems: readonly PolicyProblem[]
  /** Lower-case names of the request fields that policies state. */
  readonly owned: readonly string[]
  /** Every file the policies were made of, those they import included: what to watch, and what `changedPolicyFiles` compares. */
  readonly files: readonly PolicyFile[]
}

const NONE: JudgedPolicies = Object.freeze({ problems: [], owned: [], files: [] })

/**
 * Judges the user policies of a config before anything of it is in force, as data threads will, in a thread of its own
 * that ends with it: control never runs an operator's code. `limitMs`: longest it may take, default 10 s. Never rejects.
 */
export async function judgeUserPolicies(
  routes: readonly PolicyRoute[],
  tenantField: string,
  limitMs: number = DEFAULT_LIMIT_MS,
): Promise<JudgedPolicies> {
  const using = routes.filter(({ policies }) => policies.length > 0)
  const [first] = using
  if (first === undefined) return NONE
  const birth: JudgeBirth = {
    routes: using.map(({ name, policies }) => ({ name, policies })),
    tenantField,
  }
  const outcome = await judgedInThread(birth, limitMs)
  if (typeof outcome !== 'string') return outcome
  const text = `the policies could not be judged: ${outcome}; expected modules that only define a policy when they are imported`
  return { ...NONE, problems: [{ route: first.name, index: 0, path: ['use'], text }] }
}

/** A string says why there is no judgement. */
function judgedInThread(birth: JudgeBirth, limitMs: number): Promise<JudgedPolicies | string> {
  // Captured and dropped: what an author's code prints would end up between the lines of a command that answers JSON.
  const worker = new Worker(ENTRY, { workerData: birth, name: 'policies', stdout: true, stderr: true })
  worker.stdout.resume()
  worker.stderr.resume()
  const { promise, resolve } = Promise.withResolvers<JudgedPolicies | string>()
  const timer = setTimeout(() => resolve(`they took longer than ${limitMs} ms`), limitMs)
  worker.on('message', (message: JudgedPolicies) => resolve(message))
  worker.on('error', (error: unknown) =>
    resolve(oneLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error))),
  )
  worker.on('exit', () => resolve('their code ended the thread'))
  return promise.finally(async () => {
    clearTimeout(timer)
    await worker.terminate()
  })
}
