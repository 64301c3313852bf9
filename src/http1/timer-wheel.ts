const TICK_MS = 50
const SLOTS = 256

/** What a deadline belongs to. */
export interface DeadlineOwner {
  expire(): void
}

/** One time limit of a connection, moved from phase to phase. Off while `atMs` is 0. */
export class Deadline {
  readonly owner: DeadlineOwner
  atMs = 0
  /** The wheel's own: the slot it is linked in (-1: none), when that slot comes up, and its neighbours. */
  slot = -1
  slotMs = 0
  next: Deadline | null = null
  previous: Deadline | null = null

  constructor(owner: DeadlineOwner) {
    this.owner = owner
  }
}

/**
 * All time limits of a thread on one coarse timer (hashed wheel; Varghese and Lauck 1987). A limit never fires early
 * and at most two ticks (100 ms) late: one for a clock not read since the last tick, one to look. Pushing one back costs one store: it stays in its slot and is moved when the
 * slot comes up. The timer runs only while there is something to watch.
 */
export class TimerWheel {
  /** The clock as of the last tick or `touch`, ms, monotonic. */
  nowMs: number
  readonly #clock: () => number
  readonly #slots: (Deadline | null)[] = new Array<Deadline | null>(SLOTS).fill(null)
  readonly #every: (() => void)[] = []
  #tick: number
  #linked = 0
  /** The deadline to be looked at next within a slot; an expiry may take it off the wheel. */
  #cursor: Deadline | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(clock: () => number) {
    this.#clock = clock
    this.nowMs = clock()
    this.#tick = Math.floor(this.nowMs / TICK_MS)
  }

  /** Lets whoever read the clock share it. */
  touch(nowMs: number): void {
    this.nowMs = nowMs
  }

  /** Runs on every tick for as long as the wheel turns, which `keepTurning` makes it do. */
  everyTick(task: () => void): void {
    this.#every.push(task)
  }

  /** Makes sure that ticks come even if no deadline is set. */
  keepTurning(): void {
    if (this.#timer !== null) return
    this.#timer = setInterval(() => this.turn(), TICK_MS)
    this.#timer.unref()
    this.nowMs = this.#clock() // nobody has read it while the wheel stood still
    this.#tick = Math.floor(this.nowMs / TICK_MS)
  }

  set(deadline: Deadline, delayMs: number): void {
    this.keepTurning()
    const atMs = this.nowMs + delayMs + TICK_MS
    deadline.atMs = atMs
    if (deadline.slot >= 0) {
      if (atMs >= deadline.slotMs) return
      this.#unlink(deadline)
    }
    this.#link(deadline, atMs)
  }

  /** Turns a limit off; cheap, for one that is about to be set again. */
  clear(deadline: Deadline): void {
    deadline.atMs = 0
  }

  /** Takes it off the wheel for good, so that the wheel no longer keeps its owner alive. */
  remove(deadline: Deadline): void {
    deadline.atMs = 0
    if (deadline.slot >= 0) this.#unlink(deadline)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** One look at the clock: everything due is expired. The timer calls it; tests may. */
  turn(): void {
    const nowMs = this.#clock()
    this.nowMs = nowMs
    const last = Math.floor(nowMs / TICK_MS)
    // After a stall of more than one turn every slot is visited once.
    let tick = Math.max(this.#tick + 1, last - SLOTS + 1)
    this.#tick = last
    for (; tick <= last; tick++) this.#visit(tick & (SLOTS - 1), nowMs)
    for (const task of this.#every) task()
    if (this.#linked === 0 && this.#every.length === 0) this.stop()
  }

  #visit(slot: number, nowMs: number): void {
    this.#cursor = this.#slots[slot] as Deadline | null
    while (this.#cursor !== null) {
      const deadline = this.#cursor
      this.#unlink(deadline)
      if (deadline.atMs > nowMs) this.#link(deadline, deadline.atMs)
      else if (deadline.atMs !== 0) {
        deadline.atMs = 0
        deadline.owner.expire()
      }
    }
  }

  #link(deadline: Deadline, atMs: number): void {
    // Later than one turn: parked in the furthest slot and looked at again from there.
    const tick = Math.min(Math.max(Math.floor(atMs / TICK_MS), this.#tick + 1), this.#tick + SLOTS - 1)
    const slot = tick & (SLOTS - 1)
    deadline.slot = slot
    deadline.slotMs = tick * TICK_MS
    deadline.previous = null
    deadline.next = this.#slots[slot] as Deadline | null
    if (deadline.next !== null) deadline.next.previous = deadline
    this.#slots[slot] = deadline
    this.#linked++
  }

  #unlink(deadline: Deadline): void {
    if (deadline === this.#cursor) this.#cursor = deadline.next
    if (deadline.previous === null) this.#slots[deadline.slot] = deadline.next
    else deadline.previous.next = deadline.next
    if (deadline.next !== null) deadline.next.previous = deadline.previous
    deadline.next = null
    deadline.previous = null
    deadline.slot = -1
    this.#linked--
  }
}
