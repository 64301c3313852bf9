/** Runs something once after a delay; the returned function cancels it. A parameter, so that tests own the time. */
export type StartTimer = (delayMs: number, run: () => void) => () => void

export const startTimer: StartTimer = (delayMs, run) => {
  const timer = setTimeout(run, delayMs)
  return () => clearTimeout(timer)
}
