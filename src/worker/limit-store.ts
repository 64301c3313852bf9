import type { LogLevel } from '../config/config.ts'
import type { Limiter } from '../limits/limiter.ts'
import { redisConnector } from '../limits/redis-connection.ts'
import { RedisLimiter } from '../limits/redis-limiter.ts'
import { LOAD_SCRIPT } from '../limits/redis-script.ts'
import { STORE_BUDGET_MS, type StartTimer, StoreLink } from '../limits/store-link.ts'
import type { LogFields } from '../observe/log-line.ts'

/** Begins every key in a store, which gateways may share with others. */
const PREFIX = 'nyro'

export interface LimitStoreParts {
  /** Of this process; decides where no store does. */
  readonly local: Limiter
  readonly random: () => number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly log: (level: LogLevel, event: string, fields: LogFields) => void
}

/** Who decides over limits by one config. */
export interface LimitChoice {
  /** Of a store, or null. */
  readonly url: string | null
  readonly limiter: Limiter
  readonly link: StoreLink | null
}

/** Who decides over limits in this thread: a store that replicas share where there is one, with one link to it. */
export class LimitStore {
  readonly #parts: LimitStoreParts
  #inForce: LimitChoice

  constructor(parts: LimitStoreParts) {
    this.#parts = parts
    this.#inForce = { url: null, limiter: parts.local, link: null }
  }

  /** For a config that is to come into force; the same as now where its store is. */
  prepare(url: string | null): LimitChoice {
    if (url === this.#inForce.url) return this.#inForce
    const { local, nowMs } = this.#parts
    if (url === null) return { url, limiter: local, link: null }
    const link = this.#linkTo(url)
    return { url, link, limiter: new RedisLimiter({ link, local, prefix: PREFIX, nowMs }) }
  }

  /** Puts what was prepared in force: from now on it is linked, and what was before no longer. */
  take(choice: LimitChoice): void {
    if (choice === this.#inForce) return
    this.#inForce.link?.stop()
    this.#inForce = choice
    choice.link?.start()
  }

  /** Whether the store answers; `none`: there is none. */
  get state(): 'none' | 'up' | 'down' {
    const { link } = this.#inForce
    if (link === null) return 'none'
    return link.connection === null ? 'down' : 'up'
  }

  stop(): void {
    this.#inForce.link?.stop()
  }

  #linkTo(url: string): StoreLink {
    const { random, nowMs, log } = this.#parts
    return new StoreLink({
      ...{ connect: redisConnector(url), probe: LOAD_SCRIPT, budgetMs: STORE_BUDGET_MS },
      ...{ nowMs, random, startTimer },
      changed: (state, reason) => {
        if (state === 'up') log('info', 'Store of limits answers', {})
        else log('warning', 'Store of limits lost, routes go by onStoreError', { reason })
      },
    })
  }
}

const startTimer: StartTimer = (delayMs, run) => {
  const timer = setTimeout(run, delayMs)
  timer.unref()
  return () => clearTimeout(timer)
}
