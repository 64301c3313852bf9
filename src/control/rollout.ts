import { askedClaims } from '../config/asked-claim.ts'
import type { Config, RouteConfig } from '../config/config.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import type { ControlMessage, RolloutAnswer } from '../worker/messages.ts'
import type { StartTimer } from './start-timer.ts'
import type { ThreadFollower } from './thread-set.ts'

/** What a thread compiles within 2 ms. */
const ROUTES_A_PIECE = 100
/** A thread that has not prepared a config by then is stuck, or something in it is. */
const PATIENCE_MS = 10_000

export interface RolloutThreads {
  readonly living: readonly number[]
  post(message: ControlMessage): void
  postTo(row: number, message: ControlMessage): void
}

interface Round {
  readonly version: number
  readonly config: Config
  readonly upstreams: () => readonly LiveUpstream[]
  /** Of the routes, as JSON, as far as a thread has asked for them. */
  readonly texts: string[]
  /** The piece that each thread still at work gets next; those that have prepared it are not here. */
  readonly pieces: Map<number, number>
  readonly end: (problem: string | null) => void
}

/**
 * Has one config at a time prepared by all data threads. Threads that die meanwhile are not waited for, and those that
 * are born meanwhile prepare it too: they are born with the one still in force.
 */
export class Rollout implements ThreadFollower {
  readonly #threads: () => RolloutThreads
  readonly #startTimer: StartTimer
  #version = 0
  #round: Round | null = null

  /** `threads` is asked for when needed: they know their follower before it knows them. */
  constructor(threads: () => RolloutThreads, startTimer: StartTimer) {
    this.#threads = threads
    this.#startTimer = startTimer
  }

  /**
   * Resolves to null once every thread could put it in force, or to why one cannot; then all have forgotten it. To be
   * followed by `commit` or `drop` in the same turn. Never two at a time.
   */
  async prepare(config: Config, upstreams: () => readonly LiveUpstream[]): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>()
    const version = ++this.#version
    const cancel = this.#startTimer(PATIENCE_MS, () =>
      this.#conclude(`a data thread has not prepared it within ${PATIENCE_MS / 1000} s`),
    )
    this.#round = { version, config, upstreams, texts: [], pieces: new Map(), end: resolve }
    for (const row of this.#threads().living) this.#begin(this.#round, row)
    this.#concludeIfAll()
    const problem = await promise
    cancel()
    return problem
  }

  /** Has all forget what was prepared. */
  drop(): void {
    this.#threads().post({ kind: 'drop', version: this.#version })
  }

  /** Puts in force what was prepared. */
  commit(upstreams: readonly LiveUpstream[]): void {
    this.#threads().post({ kind: 'commit', version: this.#version, upstreams })
  }

  born(row: number): void {
    if (this.#round !== null) this.#begin(this.#round, row)
  }

  died(row: number): void {
    this.#round?.pieces.delete(row)
    this.#concludeIfAll()
  }

  answered(row: number, answer: RolloutAnswer): void {
    const round = this.#round
    if (round === null || answer.version !== round.version) return
    switch (answer.kind) {
      case 'next':
        this.#sendPiece(round, row)
        return
      case 'prepared':
        round.pieces.delete(row)
        this.#concludeIfAll()
        return
      case 'failed':
        this.#conclude(answer.reason)
    }
  }

  #begin({ version, config, upstreams, pieces }: Round, row: number): void {
    pieces.set(row, 0)
    const using = usingPolicies(config.routes)
    const claims = askedClaims(config.routes)
    const bare = { ...config, routes: [] }
    this.#threads().postTo(row, {
      ...{ kind: 'prepare', version, config: bare, upstreams: upstreams() },
      ...{ using, claims },
    })
  }

  #sendPiece({ version, config, texts, pieces }: Round, row: number): void {
    const piece = pieces.get(row)
    if (piece === undefined) return
    pieces.set(row, piece + 1)
    const end = (piece + 1) * ROUTES_A_PIECE
    const text = texts[piece] ?? JSON.stringify(config.routes.slice(piece * ROUTES_A_PIECE, end))
    texts[piece] = text
    this.#threads().postTo(row, { kind: 'routes', version, text, isLast: end >= config.routes.length })
  }

  #concludeIfAll(): void {
    if (this.#round !== null && this.#round.pieces.size === 0) this.#conclude(null)
  }

  #conclude(problem: string | null): void {
    const round = this.#round
    if (round === null) return
    this.#round = null
    if (problem !== null) this.drop()
    round.end(problem)
  }
}

/** One route for each list of policies: ten thousand that share one are not told of ten thousand times. */
function usingPolicies(routes: readonly RouteConfig[]): readonly Pick<RouteConfig, 'name' | 'policies'>[] {
  const using = new Map<string, Pick<RouteConfig, 'name' | 'policies'>>()
  for (const { name, policies } of routes) {
    if (policies.length === 0) continue
    const key = JSON.stringify(policies)
    if (!using.has(key)) using.set(key, { name, policies })
  }
  return [...using.values()]
}
