/** How many events one batch may be trusted to hold: libuv polls again without a check phase after 1,024 of them. */
const MAX_BATCH = 256

/** What `mark` gives outside the delivery of socket events (timers, immediates): equal to no batch. */
export const NO_BATCH = -1

/**
 * Counts the batches in which the event loop delivers socket events. Two moments of the same batch lie between two
 * looks at the kernel, so bytes that are read in the batch in which a request was written cannot be its answer: they
 * were on their way before. It advances in the check phase (setImmediate), and early in a very large batch, where
 * the loop may have looked again without one.
 */
export class LoopEpoch {
  now = 0
  #events = 0
  #within = false
  readonly #atEnd: (() => void)[] = []
  readonly #advance = (): void => {
    this.#within = false
    this.#events = 0
    this.now++
    for (const task of this.#atEnd) task()
  }

  /** Whether socket events are being delivered: `atEnd` is still to come. */
  get isWithin(): boolean {
    return this.#within
  }

  /** Runs whenever all events of a turn of the loop have been delivered; for as long as this is there. */
  atEnd(task: () => void): void {
    this.#atEnd.push(task)
  }

  /** One more socket event: we are within a batch. */
  count(): void {
    if (!this.#within) {
      this.#within = true
      setImmediate(this.#advance)
    }
    if (++this.#events < MAX_BATCH) return
    this.#events = 0
    this.now++
  }

  /** The number of the present batch. */
  mark(): number {
    return this.#within ? this.now : NO_BATCH
  }

  /**
   * Whether all that had reached this machine when `now` was `then` has been looked for, or is caught by `mark`:
   * within a batch the look that began it came later; outside of one a whole look must lie between.
   */
  isPast(then: number): boolean {
    return this.now - then >= (this.#within ? 1 : 2)
  }

  /** Runs `task` once the loop has looked at the kernel once more, whether that brought anything or not. */
  afterLook(task: () => void): void {
    // An immediate set in a check phase runs in the next one: the first ends this turn, a poll lies before the second.
    setImmediate(() => {
      setImmediate(() => {
        if (!this.#within) this.now++
        task()
      })
    })
  }
}
