import { parentPort, workerData } from 'node:worker_threads'
import { TimerWheel } from '../../http1/timer-wheel.ts'
import { systemClock } from '../../lib/clock.ts'
import type { JudgeBirth, JudgedPolicies } from './judge-user-policies.ts'
import { loadUserPolicies } from './load-user-policies.ts'
import { notePolicyFiles } from './policy-file.ts'

/** Judges what it is born with, says so once and is ended. */
async function judge({ routes, tenantField }: JudgeBirth): Promise<JudgedPolicies> {
  const filesOf = notePolicyFiles(new URL('../../', import.meta.url).href)
  const { problems, owned } = await loadUserPolicies(routes, {
    tenantField,
    clock: systemClock,
    wheel: new TimerWheel(systemClock.monotonicMs),
    log: () => {},
  })
  return { problems, owned: [...owned], files: filesOf() }
}

if (parentPort !== null) parentPort.postMessage(await judge(workerData as JudgeBirth)) // as judgeUserPolicies gives it
