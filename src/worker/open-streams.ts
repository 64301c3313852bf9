import type { StreamsConfig } from '../config/config.ts'
import type { Exchange, Identity } from '../proxy/exchange.ts'
import type { OpenStream } from '../proxy/open-stream.ts'
import type { RevocationSet } from '../revocation/revocation-set.ts'

/** Between two looks at all streams: how long one outlives its credential at most. */
const SWEEP_MS = 200

interface Open {
  readonly stream: OpenStream
  readonly exchange: Exchange
  readonly identity: Identity
  /** Seconds since the epoch; Infinity where it may outlive its credential. */
  readonly endsAtS: number
}

export interface OpenStreamsParts {
  readonly revocations: RevocationSet
  /** Seconds since the epoch, by the wall clock. */
  readonly nowS: () => number
}

/** A data thread's streams that somebody is behind: looked over as one, with no timer each, and ended when their credentials are. */
export class OpenStreams {
  readonly #parts: OpenStreamsParts
  readonly #open = new Set<Open>()
  #nextMs = 0

  constructor(parts: OpenStreamsParts) {
    this.#parts = parts
  }

  /** Those that ended by themselves since the last look included. */
  get size(): number {
    return this.#open.size
  }

  opened(stream: OpenStream, exchange: Exchange, streams: StreamsConfig | null): void {
    const { identity } = exchange
    if (identity === null) return
    const endsAtS = streams?.endAtExpiry === true ? identity.expiresAtS : Number.POSITIVE_INFINITY
    this.#open.add({ stream, exchange, identity, endsAtS })
  }

  /** On every tick; `nowMs` is monotonic. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return
    this.#nextMs = nowMs + SWEEP_MS
    this.sweep()
  }

  /** Forgets what is over, and ends what has outlived its credential. */
  sweep(): void {
    if (this.#open.size === 0) return
    const { revocations } = this.#parts
    const nowS = this.#parts.nowS()
    for (const open of this.#open) {
      if (open.exchange.over) this.#open.delete(open)
      else if (revocations.covers(open.identity, nowS)) this.#cut(open, 'token_revoked')
      else if (open.endsAtS <= nowS) this.#cut(open, 'token_expired')
    }
  }

  #cut(open: Open, code: 'token_revoked' | 'token_expired'): void {
    this.#open.delete(open)
    open.stream.cut(code)
  }
}
