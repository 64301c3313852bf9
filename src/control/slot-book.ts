/** What a book is told of the memory its slots stand for, and of the threads that read it. */
export interface SlotUse {
  /** Nobody holds anything in it: no exchange, no connection. */
  readonly isIdle: (slot: number) => boolean
  /** Makes it as new, before its next use. */
  readonly reset: (slot: number) => void
  /** Asks every thread to say so once it has done all it was told until now; gives that question's number. */
  readonly ask: () => number
  /** The number of the latest question that every living thread has answered. */
  readonly answered: () => number
}

interface Slot {
  readonly index: number
  holders: number
  /** Asked since nobody holds it; null: not asked yet. */
  question: number | null
}

/**
 * Places in shared memory, by what stands in them. The same key keeps its slot for as long as anybody in control holds
 * it, and on until no thread can be using it any more; only then the slot is reset and goes to another key.
 */
export class SlotBook {
  readonly #slots = new Map<string, Slot>()
  readonly #left = new Map<string, Slot>()
  readonly #free: number[] = []
  readonly #capacity: number
  readonly #use: SlotUse
  #fresh = 0

  constructor(capacity: number, use: SlotUse) {
    this.#capacity = capacity
    this.#use = use
  }

  /** One holder more; null when all slots are taken. */
  take(key: string): number | null {
    const known = this.#slots.get(key)
    if (known !== undefined) {
      known.holders += 1
      this.#left.delete(key)
      return known.index
    }
    const index = this.#free.pop() ?? (this.#fresh < this.#capacity ? this.#fresh++ : null)
    if (index === null) return null
    this.#use.reset(index)
    this.#slots.set(key, { index, holders: 1, question: null })
    return index
  }

  /** One holder fewer. */
  give(key: string): void {
    const slot = this.#slots.get(key)
    if (slot === undefined) throw new Error(`a slot nobody took is given back: ${key}`)
    slot.holders -= 1
    if (slot.holders > 0) return
    slot.question = null
    this.#left.set(key, slot)
  }

  /** Slots that nobody holds and that some thread may still use. */
  get left(): number {
    return this.#left.size
  }

  /**
   * Frees what threads have let go of. To be called again while some are `left`, never within the turn that gave them
   * back: threads are to be told first, and asked then.
   */
  collect(): void {
    const answered = this.#use.answered()
    let question: number | null = null
    for (const [key, slot] of this.#left) {
      if (slot.question === null) {
        question ??= this.#use.ask()
        slot.question = question
      } else if (slot.question <= answered && this.#use.isIdle(slot.index)) {
        this.#left.delete(key)
        this.#slots.delete(key)
        this.#free.push(slot.index)
      }
    }
  }
}
