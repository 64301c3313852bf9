import { Head } from './head.ts'
import { resetHead } from './head-parser.ts'

const MAX_SPARE = 1_024

/** Spare heads of a thread: a connection holds one only while a message is under way, so idle ones cost none. */
export class HeadPool {
  readonly #spare: Head[] = []

  take(): Head {
    return this.#spare.pop() ?? new Head()
  }

  give(head: Head): void {
    resetHead(head)
    if (this.#spare.length < MAX_SPARE) this.#spare.push(head)
  }
}
