/** What waits: who it belongs to, and until when it is worth anything. */
export interface Waiter {
  readonly tenant: string
  /** The tenant's share against others that wait, above 0. */
  readonly weight: number
  /** Monotonic milliseconds. */
  readonly deadlineMs: number
}

/** `full`: the tenant has as many waiting as it may. */
export type Pushed = 'queued' | 'full'

interface TenantQueue<W> {
  readonly tenant: string
  /** Oldest first. */
  readonly waiters: Set<W>
  /** Of the newest waiter: a plan may have changed. */
  weight: number
  /** Turns saved up, each worth one exchange. */
  deficit: number
}

/**
 * One queue a tenant, served by deficit round robin (Shreedhar and Varghese, 1996) with every exchange of cost one: a
 * tenant waits behind itself, whatever others have waiting. Taking the next costs the same for any number of tenants,
 * as long as no weight is below one.
 */
export class FairQueue<W extends Waiter> {
  /** In order of service: the first is the one whose turn it is. */
  readonly #queues = new Map<string, TenantQueue<W>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Tenants that wait. */
  get tenants(): number {
    return this.#queues.size
  }

  waitingOf(tenant: string): number {
    return this.#queues.get(tenant)?.waiters.size ?? 0
  }

  push(waiter: W, maxPerTenant: number): Pushed {
    const { tenant, weight } = waiter
    let queue = this.#queues.get(tenant)
    if (queue === undefined) {
      queue = { tenant, waiters: new Set(), weight, deficit: 0 }
      this.#queues.set(tenant, queue)
    }
    if (queue.waiters.size >= maxPerTenant) {
      if (queue.waiters.size === 0) this.#queues.delete(tenant)
      return 'full'
    }
    queue.weight = weight
    queue.waiters.add(waiter)
    this.#size++
    return 'queued'
  }

  /** Whose turn it is, until it is taken out; null where nobody waits. */
  peek(): W | null {
    for (const queue of this.#queues.values()) {
      if (queue.deficit < 1) queue.deficit += queue.weight
      if (queue.deficit < 1) {
        this.#toEnd(queue)
        continue
      }
      const [waiter] = queue.waiters
      return waiter ?? null
    }
    return null
  }

  /** Takes out whose turn it is. */
  pop(): W | null {
    const waiter = this.peek()
    const queue = waiter === null ? undefined : this.#queues.get(waiter.tenant)
    if (waiter === null || queue === undefined) return null
    queue.deficit--
    this.#take(queue, waiter)
    if (queue.waiters.size > 0 && queue.deficit < 1) this.#toEnd(queue)
    return waiter
  }

  /** Takes one out that will not be served; false if it is not there. */
  remove(waiter: W): boolean {
    const queue = this.#queues.get(waiter.tenant)
    if (queue?.waiters.has(waiter) !== true) return false
    this.#take(queue, waiter)
    return true
  }

  /** Takes the newest of the longest queue out; null where nobody waits. */
  shed(): W | null {
    let longest: TenantQueue<W> | null = null
    for (const queue of this.#queues.values()) {
      if (longest === null || queue.waiters.size > longest.waiters.size) longest = queue
    }
    const newest = longest === null ? null : [...longest.waiters].at(-1)
    if (longest === null || newest === null || newest === undefined) return null
    this.#take(longest, newest)
    return newest
  }

  /** Takes out everybody for whom `isOver` holds. */
  sweep(isOver: (waiter: W) => boolean): readonly W[] {
    const taken: W[] = []
    for (const queue of this.#queues.values()) {
      for (const waiter of queue.waiters) {
        if (!isOver(waiter)) continue
        this.#take(queue, waiter)
        taken.push(waiter)
      }
    }
    return taken
  }

  #take(queue: TenantQueue<W>, waiter: W): void {
    queue.waiters.delete(waiter)
    this.#size--
    // What was saved up goes with the last waiter: who is idle gains nothing for later.
    if (queue.waiters.size === 0) this.#queues.delete(queue.tenant)
  }

  #toEnd(queue: TenantQueue<W>): void {
    this.#queues.delete(queue.tenant)
    this.#queues.set(queue.tenant, queue)
  }
}
