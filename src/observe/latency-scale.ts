/** Four steps an octave: what is read off it is at most a fifth too long. */
const STEP_BITS = 2
const STEPS = 1 << STEP_BITS
/** Ticks a millisecond: the finest step is a 64th of one. */
const TICKS = 64
/** Up to 2^24 ticks, which are 262 s. */
const OCTAVES = 22

/** Steps of the scale, the last one for everything longer. */
export const LATENCY_STEPS = STEPS * (OCTAVES + 1)

/** The step a duration falls into, by integer operations alone: once an exchange. */
export function latencyStep(durationMs: number): number {
  const ticks = Math.min(durationMs * TICKS, 0x7fffffff) | 0
  if (ticks < STEPS) return ticks < 0 ? 0 : ticks
  const octave = 31 - STEP_BITS - Math.clz32(ticks)
  const step = STEPS * (octave + 1) + ((ticks >> octave) & (STEPS - 1))
  return step < LATENCY_STEPS ? step : LATENCY_STEPS - 1
}

/** The longest duration of a step, ms. */
export function latencyOf(step: number): number {
  if (step < STEPS) return (step + 1) / TICKS
  const octave = Math.floor(step / STEPS) - 1
  return ((STEPS + (step % STEPS) + 1) * 2 ** octave) / TICKS
}
