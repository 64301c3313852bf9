import { Deadline, type DeadlineOwner, type TimerWheel } from '../http1/timer-wheel.ts'

/** The end of a whole exchange's time, set; null where it has no limit. */
export function startDeadline(
  owner: DeadlineOwner,
  wheel: TimerWheel,
  limitMs: number | null,
): Deadline | null {
  if (limitMs === null) return null
  const deadline = new Deadline(owner)
  wheel.set(deadline, limitMs)
  return deadline
}

/** Takes it off, if there is one; what is left is none. */
export function removeDeadline(deadline: Deadline | null, wheel: TimerWheel): null {
  if (deadline !== null) wheel.remove(deadline)
  return null
}
