import { hrtime } from 'node:process'

/**
 * The clocks of the machine, as a value: whatever measures or compares time takes one as a parameter, so that
 * tests own time. No other file reads the wall clock.
 */
export interface Clock {
  /** Milliseconds since the epoch. May step either way; only for what is compared with the outside (exp, timestamps). */
  wallMs(): number
  /** Milliseconds since some start, never backwards. For every duration and deadline. */
  monotonicMs(): number
}

export const systemClock: Clock = Object.freeze({
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
})

/**
 * Milliseconds since the machine started, never backwards and the same in every thread: for times in shared memory.
 * Each thread's performance.now() counts from that thread's own start.
 */
export function machineMs(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}
