const MICROS_PER_SECOND = 1_000_000

/** A duration in seconds with microseconds, `0.001234`. Below a second by one integer's text: toFixed costs four times that. */
export function secondsText(durationMs: number): string {
  const micros = Math.round(durationMs * 1_000)
  if (micros >= 0 && micros < MICROS_PER_SECOND) return `0.${String(MICROS_PER_SECOND + micros).slice(1)}`
  return (micros / MICROS_PER_SECOND).toFixed(6)
}
