/**
 * What a signed assertion costs: signed anew, found again, kept. CPU time (user and system) of the process, median of the
 * rounds. Run: node --expose-gc bench/micro/assertion.ts
 */
import { AssertionSigner } from '../../src/assertion/assertion-signer.ts'
import { compileSigningKey, createSigningKey } from '../../src/assertion/signing-key.ts'
import type { Identity } from '../../src/proxy/exchange.ts'

const ROUNDS = 11
const NOW_S = 1_800_000_000
const KEPT = 10_000

const key = compileSigningKey(createSigningKey())
const signer = new AssertionSigner({
  ...{ key: () => key, issuer: 'nyro-gateway', audience: 'billing', ttlS: 60 },
  nowS: () => NOW_S,
})
const identities = Array.from({ length: KEPT + 1 }, (_, index) => identityOf(`user-${index}`))

const before = heapBytes()
for (const identity of identities.slice(0, KEPT)) signer.assertionOf(identity)
console.log(`${KEPT} assertions: ${((heapBytes() - before) / 2 ** 20).toFixed(1)} MiB of heap`)
report('an assertion found', 1_000_000, (index) => signer.assertionOf(identities[index % KEPT] as Identity))
// One more than are kept, in turn: each was dropped when it is asked for again.
report('an assertion signed', 2_000, (index) =>
  signer.assertionOf(identities[(KEPT + index) % (KEPT + 1)] as Identity),
)

function identityOf(subject: string): Identity {
  return {
    ...{ subject, tenant: 'acme', expiresAtS: NOW_S + 3_600, plan: null, issuer: 'idp', jti: subject },
    ...{ scopes: new Set<string>(), claims: new Map() },
  }
}

function report(what: string, times: number, once: (index: number) => unknown): void {
  let asked = 0
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.cpuUsage()
    for (let index = 0; index < times; index++) once(asked++)
    const { user, system } = process.cpuUsage(start)
    return ((user + system) * 1_000) / times
  }).sort((one, other) => one - other)
  console.log(`${what}: ${(rounds[(ROUNDS - 1) / 2] ?? 0).toFixed(1)} ns`)
}

function heapBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
