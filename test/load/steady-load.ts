import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { Told } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { quantile } from '../traffic/offer.ts'

const CONNECTIONS = 4
const PER_SECOND = 200
/** Enough for a 99th percentile that is not the longest. */
const LEAST = 300
/** What a busy machine does to a request; a data thread that waits for an onlooker does more. */
const BUSY_P99_MS = 250
const LONGEST_MS = 2_000
const NS_IN_MS = 1e6

/** What requests took while something went on. */
export interface Passage {
  readonly p99Ms: number
  readonly longestMs: number
  /** The longest that this process, which asks and answers, kept everything waiting itself. */
  readonly ownMs: number
}

export interface LoadParts {
  readonly port: number
  /** Of the request with that number, 0 first. */
  readonly target: (number: number) => string
  /** Default: acme. */
  readonly tenant?: (number: number) => string
}

/** Verified requests to an upstream that echoes, at a steady rate, until it is stopped; each answer is checked. */
export class SteadyLoad {
  /** Requests sent so far. */
  asked = 0
  readonly #parts: LoadParts
  #tookMs: number[] = []
  #isOver = false
  #wrong: Error | null = null
  readonly #ended: Promise<unknown>

  constructor(parts: LoadParts) {
    this.#parts = parts
    this.#ended = Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => this.#run(index)))
  }

  /** What requests take from now on until `work` is done and enough have been made. */
  async during(work: () => Promise<unknown> = async () => {}): Promise<Passage> {
    this.#tookMs = []
    const own = monitorEventLoopDelay({ resolution: 5 })
    own.enable()
    await work()
    await until('requests', () => this.#sound() && this.#tookMs.length >= LEAST, 30_000)
    own.disable()
    return {
      p99Ms: quantile(this.#tookMs, 0.99),
      longestMs: Math.max(...this.#tookMs),
      ownMs: own.max / NS_IN_MS,
    }
  }

  /** Ends with the requests under way. Throws if any was not answered with its own. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#ended
    this.#sound()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#ended
  }

  #sound(): true {
    if (this.#wrong !== null) throw this.#wrong
    return true
  }

  async #run(index: number): Promise<void> {
    const everyMs = (1_000 * CONNECTIONS) / PER_SECOND
    try {
      using client = await RawClient.connect(this.#parts.port)
      let dueMs = performance.now() + (everyMs * index) / CONNECTIONS
      for (; !this.#isOver; dueMs += everyMs) {
        await pause(Math.max(0, dueMs - performance.now()))
        await this.#ask(client)
      }
    } catch (error) {
      this.#wrong ??= error instanceof Error ? error : new Error(String(error))
    }
  }

  async #ask(client: RawClient): Promise<void> {
    const { target, tenant = () => 'acme' } = this.#parts
    const number = this.asked++
    const [asked, owner] = [target(number), tenant(number)]
    const sentMs = performance.now()
    const answer = await client.ask(request('GET', asked, [bearer(tokenOf(owner))]))
    this.#tookMs.push(performance.now() - sentMs)
    assert.equal(answer.status, 200, answer.text)
    const told = answer.json<Told>()
    assert.equal(told.target, asked)
    assert.equal(told.fields.find(([name]) => name.toLowerCase() === 'x-company-id')?.[1], owner)
  }
}

const tokens = new Map<string, string>()

function tokenOf(tenant: string): string {
  const known = tokens.get(tenant) ?? tenantToken(tenant)
  tokens.set(tenant, known)
  return known
}

export function assertUnaffected(before: Passage, during: Passage): void {
  const bound = Math.max(5 * before.p99Ms, BUSY_P99_MS) + during.ownMs
  assert.ok(
    during.p99Ms < bound,
    `p99 ${before.p99Ms} ms before, ${during.p99Ms} ms during, of which ${during.ownMs} ms may be ours`,
  )
  assert.ok(during.longestMs < LONGEST_MS, `one took ${during.longestMs} ms`)
}
