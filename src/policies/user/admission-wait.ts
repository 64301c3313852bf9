import { Deadline, type DeadlineOwner, type TimerWheel } from '../../http1/timer-wheel.ts'
import type { Verdict } from '../../proxy/policy.ts'

/** What an `admit` that waits comes to. */
export interface WaitEnds<Given> {
  /** The author's verdict, in time. May throw. */
  decided(given: Given): Verdict
  /** The author's promise was rejected in time: gives the error to end the exchange with. */
  failed(error: unknown): Error
  /** Nothing came in time. */
  expired(): Verdict
}

/**
 * Bounds a promise of an author's on the thread's timer wheel: whatever it does, an exchange waits so long and no
 * longer. What comes later is dropped, a rejection included.
 */
export class AdmissionWait<Given> implements DeadlineOwner {
  readonly #ends: WaitEnds<Given>
  readonly #settle: PromiseWithResolvers<Verdict>
  #isOver = false

  private constructor(ends: WaitEnds<Given>) {
    this.#ends = ends
    this.#settle = Promise.withResolvers<Verdict>()
  }

  static bound<Given>(
    given: PromiseLike<Given>,
    timeoutMs: number,
    wheel: TimerWheel,
    ends: WaitEnds<Given>,
  ): Promise<Verdict> {
    const wait = new AdmissionWait(ends)
    const deadline = new Deadline(wait)
    wheel.set(deadline, timeoutMs)
    // Promise.resolve: an author's thenable may call back twice, or throw.
    Promise.resolve(given).then(
      (verdict) => wait.#end(wheel, deadline, () => wait.#settle.resolve(ends.decided(verdict))),
      (error: unknown) => wait.#end(wheel, deadline, () => wait.#settle.reject(ends.failed(error))),
    )
    return wait.#settle.promise
  }

  expire(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#settle.resolve(this.#ends.expired())
  }

  #end(wheel: TimerWheel, deadline: Deadline, settle: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    wheel.remove(deadline)
    try {
      settle()
    } catch (error) {
      this.#settle.reject(this.#ends.failed(error))
    }
  }
}
