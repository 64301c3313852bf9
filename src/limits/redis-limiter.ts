import type { Decision, Limiter } from './limiter.ts'
import { limitCommand, withScript } from './redis-script.ts'
import type { Rule } from './rule.ts'
import { errorWord, type StoreConnection } from './store-connection.ts'
import type { StoreLink } from './store-link.ts'

/** How often overdue answers are looked for: one timer for all, not one each. */
const TICK_MS = 5
/** Commands that a thread may wait for: a store that falls behind gets no more. */
const MOST_PENDING = 1_024
const MS_PER_S = 1_000

const CLOSED: Decision = Object.freeze({
  admitted: false,
  rule: null,
  by: 'store',
  left: 0,
  resetS: 0,
  retryAfterS: 1,
})

export interface RedisLimiterParts {
  readonly link: StoreLink
  /** Decides what is `local` while the store fails. */
  readonly local: Limiter
  /** Begins every key. Default of configurations: the product's name. */
  readonly prefix: string
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/**
 * Limits that replicas share, in Redis or Valkey: one round trip for all rules of an exchange, pipelined with those of
 * others. What does not come within the budget, comes as an error or cannot be asked is decided by the rules' own
 * `onStoreError`; an answer that comes later is ignored.
 */
export class RedisLimiter implements Limiter {
  readonly #link: StoreLink
  readonly #local: Limiter
  readonly #prefix: string
  readonly #nowMs: () => number
  /** In the order of their deadlines. */
  #asked: Asked[] = []
  #first = 0
  #pending = 0
  #fallbacks = 0
  #timer: NodeJS.Timeout | null = null

  constructor({ link, local, prefix, nowMs }: RedisLimiterParts) {
    this.#link = link
    this.#local = local
    this.#prefix = prefix
    this.#nowMs = nowMs
  }

  /** Decisions that were left to `onStoreError`. */
  get fallbacks(): number {
    return this.#fallbacks
  }

  /** Commands that wait for an answer, overdue ones included. */
  get pending(): number {
    return this.#pending
  }

  take(rules: readonly Rule[], keys: readonly string[]): Decision | Promise<Decision> {
    const { connection } = this.#link
    if (connection === null || this.#pending >= MOST_PENDING) return this.#withoutStore(rules, keys)
    return new Promise((resolve) => {
      const asked = new Asked(
        rules,
        keys.slice(0, rules.length),
        this.#nowMs() + this.#link.budgetMs,
        connection,
        resolve,
      )
      this.#asked.push(asked)
      // After the sockets were read: a thread that was busy itself must not take what lies there for overdue.
      this.#timer ??= setInterval(() => setImmediate(() => this.turn()), TICK_MS).unref()
      this.#pending++
      this.#ask(asked, limitCommand(this.#prefix, rules, keys)).then(
        (reply) => this.#answer(asked, reply),
        (error: unknown) => this.#fail(asked, errorWord(error)),
      )
    })
  }

  /** Looks for answers that are overdue; the timer calls it. */
  turn(): void {
    const nowMs = this.#nowMs()
    let late: StoreConnection | null = null
    for (; this.#first < this.#asked.length; this.#first++) {
      const asked = this.#asked[this.#first] as Asked
      if (asked.over) continue
      if (asked.deadlineMs > nowMs) break
      late = asked.connection
      this.#giveUp(asked)
    }
    // However many waited: a pause of the store is one failure for each tick it lasts.
    if (late !== null) this.#link.failed(late, 'slow')
    if (this.#first < this.#asked.length && this.#first < MOST_PENDING) return
    this.#asked = this.#asked.slice(this.#first)
    this.#first = 0
    if (this.#asked.length > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  async #ask(asked: Asked, command: string[]): Promise<unknown> {
    try {
      return await asked.connection.send(command)
    } catch (error) {
      if (errorWord(error) !== 'NOSCRIPT') throw error
      return asked.connection.send(withScript(command))
    }
  }

  #answer(asked: Asked, reply: unknown): void {
    this.#pending--
    if (asked.over) return
    const decision = decisionOf(reply, asked.rules)
    if (decision === null) {
      this.#link.failed(asked.connection, 'unreadable')
      this.#giveUp(asked)
      return
    }
    asked.over = true
    this.#link.answered()
    asked.resolve(decision)
  }

  #fail(asked: Asked, reason: string): void {
    this.#pending--
    if (asked.over) return
    this.#link.failed(asked.connection, reason)
    this.#giveUp(asked)
  }

  #giveUp(asked: Asked): void {
    asked.over = true
    // A copy: what the local limiter gives is valid only until it is asked again.
    asked.resolve({ ...this.#withoutStore(asked.rules, asked.keys) })
  }

  #withoutStore(rules: readonly Rule[], keys: readonly string[]): Decision {
    this.#fallbacks++
    if (rules.some(({ onStoreError }) => onStoreError === 'closed')) return CLOSED
    const isLocal = (rule: Rule | undefined): boolean => rule?.onStoreError === 'local'
    const decision = this.#local.take(
      rules.filter(isLocal),
      keys.filter((_key, index) => isLocal(rules[index])),
    )
    if (decision instanceof Promise) throw new Error('the local limiter must decide at once')
    return decision
  }
}

/** A decision that the store was asked for. */
class Asked {
  readonly rules: readonly Rule[]
  readonly keys: readonly string[]
  readonly deadlineMs: number
  readonly connection: StoreConnection
  readonly resolve: (decision: Decision) => void
  over = false

  constructor(
    rules: readonly Rule[],
    keys: readonly string[],
    deadlineMs: number,
    connection: StoreConnection,
    resolve: (decision: Decision) => void,
  ) {
    this.rules = rules
    this.keys = keys
    this.deadlineMs = deadlineMs
    this.connection = connection
    this.resolve = resolve
  }
}

/** Null: not what the script gives. */
function decisionOf(reply: unknown, rules: readonly Rule[]): Decision | null {
  if (!Array.isArray(reply) || !reply.every(Number.isSafeInteger)) return null
  const [admitted, index, left, resetMs, retryMs] = reply as readonly number[] // looked at above
  const rule = rules[(index ?? 0) - 1]
  if (rule === undefined || left === undefined || resetMs === undefined || retryMs === undefined) return null
  return {
    admitted: admitted === 1,
    rule,
    by: rule.by,
    left,
    resetS: Math.ceil(resetMs / MS_PER_S),
    retryAfterS: admitted === 1 ? 0 : Math.max(1, Math.ceil(retryMs / MS_PER_S)),
  }
}
