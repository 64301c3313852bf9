import { setTimeout as pause } from 'node:timers/promises'
import { RawClient } from '../support/raw-client.ts'

/** One request as its client saw it; ms on the test's clock. Status 0: its connection ended without an answer. */
export interface Offered {
  readonly sentMs: number
  readonly answeredMs: number
  readonly status: number
}

export interface Offer {
  /** Turned to by turns. */
  readonly ports: readonly number[]
  readonly bytes: Buffer
  readonly connections: number
  /** Of all connections together. */
  readonly perSecond: number
  readonly forMs: number
}

/** Offers requests at a rate from many connections; one that ends is opened again. */
export async function offer({ ports, bytes, connections, perSecond, forMs }: Offer): Promise<Offered[]> {
  const offered: Offered[] = []
  const endMs = performance.now() + forMs
  const everyMs = (1_000 * connections) / perSecond
  const one = async (index: number): Promise<void> => {
    const port = ports[index % ports.length] ?? 0
    let client: RawClient | null = null
    for (let dueMs = performance.now() + (everyMs * index) / connections; dueMs < endMs; dueMs += everyMs) {
      await pause(Math.max(0, dueMs - performance.now()))
      client ??= await RawClient.connect(port).catch(() => null)
      const sentMs = performance.now()
      const response = (await client?.ask(bytes).catch(() => null)) ?? null
      offered.push({ sentMs, answeredMs: performance.now(), status: response?.status ?? 0 })
      if (response !== null) continue
      client?.leave()
      client = null
    }
    client?.leave()
  }
  await Promise.all(Array.from({ length: connections }, (_, index) => one(index)))
  return offered
}

/**
 * By how many admissions the worst window exceeds what a bucket may admit in it. A request was decided between its
 * being sent and its answer, so all that lie within a window whole were decided in it.
 */
export function excess(offered: readonly Offered[], perSecond: number, burst: number): number {
  const admitted = offered.filter(({ status }) => status === 200)
  let worst = Number.NEGATIVE_INFINITY
  for (const { sentMs } of admitted) {
    const within = admitted
      .filter((other) => other.sentMs >= sentMs)
      .sort((a, b) => a.answeredMs - b.answeredMs)
    for (const [index, { answeredMs }] of within.entries()) {
      const allowed = burst + (perSecond * (answeredMs - sentMs)) / 1_000
      worst = Math.max(worst, index + 1 - allowed)
    }
  }
  return worst
}

/** How many admissions are missing from what a bucket that was asked all the time must have admitted. */
export function shortfall(offered: readonly Offered[], perSecond: number, burst: number): number {
  const firstMs = Math.min(...offered.map(({ answeredMs }) => answeredMs))
  const lastMs = Math.max(...offered.map(({ sentMs }) => sentMs))
  // One whose connection ended may have been admitted.
  const counted = offered.filter(({ status }) => status === 200 || status === 0).length
  return burst + (perSecond * (lastMs - firstMs)) / 1_000 - counted
}

/** The value below which a share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
