/** How far a thread's reading of the clock may lag behind another's: it is read once a batch of events. */
const MAX_LAG_MS = 60_000

/** A time as a shared cell holds it, ms: it wraps after 49 days, and is never 0, which means never. */
export function stamp(nowMs: number): number {
  return Math.floor(nowMs) | 0 || 1
}

/** Milliseconds since a stamp, up to 49 days. */
export function elapsedMs(nowMs: number, since: number): number {
  const elapsed = (Math.floor(nowMs) - since) | 0
  if (elapsed >= 0) return elapsed
  return elapsed > -MAX_LAG_MS ? 0 : elapsed >>> 0
}
