/**
 * What asking a policy of the operator's own costs beside what its own code does: answering at once, with a field
 * stated, and by a promise. CPU time of the process and bytes of heap for each asking, the best of seven rounds.
 * Run: node --expose-gc --min-semi-space-size=64 --max-semi-space-size=64 bench/micro/user-policy.ts
 */
import { TimerWheel } from '../../src/http1/timer-wheel.ts'
import type { PolicyInstance } from '../../src/policies/user/define-policy.ts'
import { refuse } from '../../src/policies/user/policy-verdict.ts'
import { UserPolicy } from '../../src/policies/user/user-policy.ts'
import type { Policy } from '../../src/proxy/policy.ts'
import { UNREAD_HEAD } from '../../src/proxy/waiting.ts'
import { exchangeOf, routeOwning } from '../../test/proxy/exchange-of.ts'

const ROUNDS = 7
const ASKINGS = 20_000

const { gc } = globalThis
if (gc === undefined) throw new Error('needs --expose-gc')

const wheel = new TimerWheel(() => performance.now())
const parts = { nowMs: () => performance.now(), wallMs: () => Date.now(), log: () => {} }
const route = routeOwning('x-own')

const admits: readonly (readonly [string, PolicyInstance['admit']])[] = [
  ['admits at once', () => null],
  ['reads a field and refuses', ({ head }) => (head.get('x-a') === null ? refuse() : null)],
  [
    'states a field',
    (exchange) => {
      exchange.assert('X-Own', 'acme')
      return null
    },
  ],
  ['admits by a promise', async () => null],
]

// All of them warm first: a gateway asks several kinds of policies from one place.
const policies = admits.map(([name, admit]) => ({
  name,
  policy: new UserPolicy({ kind: 'own', owns: ['X-Own'], timeoutMs: 5_000 }, { admit }, parts, wheel),
}))
for (const { policy } of policies) await ask(policy)
for (const { name, policy } of policies) {
  let bestNs = Number.POSITIVE_INFINITY
  let bestBytes = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    gc()
    const heap = process.memoryUsage().heapUsed
    const before = process.cpuUsage()
    await ask(policy)
    const { user, system } = process.cpuUsage(before)
    bestNs = Math.min(bestNs, ((user + system) * 1_000) / ASKINGS)
    bestBytes = Math.min(bestBytes, (process.memoryUsage().heapUsed - heap) / ASKINGS)
  }
  console.log(`${name}: ${bestNs.toFixed(0)} ns, ${bestBytes.toFixed(0)} bytes`)
}
wheel.stop()

/** With an exchange each, which costs the same everywhere and is the first line's whole price. */
async function ask(policy: Policy): Promise<void> {
  for (let count = 0; count < ASKINGS; count++) {
    const verdict = policy.admit(exchangeOf(UNREAD_HEAD, route))
    if (verdict instanceof Promise) await verdict
  }
}
