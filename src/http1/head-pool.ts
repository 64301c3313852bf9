import { Head } from './head.ts'
import { resetHead } from './head-parser.ts'
import type { LoopEpoch } from './loop-epoch.ts'

const MAX_SPARE = 1_024

/** Spare heads of a thread: a connection holds one only while a message is under way, so idle ones cost none. */
export class HeadPool {
  readonly #epoch: LoopEpoch
  readonly #spare: Head[] = []
  /** Given back, and read once more. */
  readonly #resting: Head[] = []

  constructor(epoch: LoopEpoch) {
    this.#epoch = epoch
  }

  take(): Head {
    return this.#spare.pop() ?? new Head()
  }

  give(head: Head): void {
    resetHead(head)
    if (this.#spare.length < MAX_SPARE) this.#spare.push(head)
  }

  /** A request's: within a batch of socket events its exchange is still to be told of, see worker/ended-exchanges.ts. */
  giveLater(head: Head): void {
    if (this.#epoch.isWithin) this.#resting.push(head)
    else this.give(head)
  }

  /** Nobody reads those any more that were given for later. */
  recycle(): void {
    for (const head of this.#resting) this.give(head)
    this.#resting.length = 0
  }
}
