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
  readonly #advance = (): void => {
    this.#within = false
    this.#events = 0
    this.now++
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
}
