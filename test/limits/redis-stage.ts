import type { Decision } from '../../src/limits/limiter.ts'
import { redisConnector } from '../../src/limits/redis-connection.ts'
import { RedisLimiter } from '../../src/limits/redis-limiter.ts'
import { LOAD_SCRIPT } from '../../src/limits/redis-script.ts'
import type { Rule } from '../../src/limits/rule.ts'
import { SharedLimiter } from '../../src/limits/shared-limiter.ts'
import { STORE_BUDGET_MS, StoreLink } from '../../src/limits/store-link.ts'
import { until } from '../support/until.ts'
import { bucketMemory } from './limit-parts.ts'

/** A limiter on its way to a real Redis, with the real clocks. */
export class RedisStage {
  readonly changes: string[] = []
  readonly link: StoreLink
  readonly limiter: RedisLimiter

  constructor(url: string, budgetMs = STORE_BUDGET_MS) {
    const nowMs = (): number => performance.now()
    this.link = new StoreLink({
      connect: redisConnector(url),
      probe: LOAD_SCRIPT,
      budgetMs,
      nowMs,
      startTimer: (delayMs, run) => {
        const timer = setTimeout(run, delayMs)
        return () => clearTimeout(timer)
      },
      random: Math.random,
      changed: (state, reason) => this.changes.push(`${state}: ${reason}`),
    })
    const local = new SharedLimiter(bucketMemory(), { monotonicMs: nowMs, wallMs: () => Date.now() })
    this.limiter = new RedisLimiter({ link: this.link, local, prefix: 'test', nowMs })
    this.link.start()
  }

  static async open(url: string, budgetMs = STORE_BUDGET_MS): Promise<RedisStage> {
    const stage = new RedisStage(url, budgetMs)
    await stage.up()
    return stage
  }

  async up(deadlineMs?: number): Promise<void> {
    await until('the store to be up', () => this.link.connection !== null, deadlineMs)
  }

  async take(key: string, ...rules: readonly Rule[]): Promise<Decision> {
    const decision = this.limiter.take(
      rules,
      rules.map(() => key),
    )
    if (decision instanceof Promise) return decision
    const { admitted, rule, by, left, resetS, retryAfterS } = decision
    return { admitted, rule, by, left, resetS, retryAfterS }
  }

  async admitted(count: number, key: string, ...rules: readonly Rule[]): Promise<number> {
    const decisions = await Promise.all(Array.from({ length: count }, () => this.take(key, ...rules)))
    return decisions.filter(({ admitted }) => admitted).length
  }

  [Symbol.dispose](): void {
    this.link.stop()
  }
}
