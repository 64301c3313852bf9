import type { StartTimer } from '../control/start-timer.ts'
import type { KeysCheckedMessage, UnknownKidMessage } from './key-message.ts'

/** Longest that exchanges wait for an answer. */
const ANSWER_MS = 2_000
/** Exchanges that wait for one issuer's keys; the others are refused at once. Each holds its token, 16 KiB at most. */
const MAX_WAITING = 1_024

export interface KeyRequestParts {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly startTimer: StartTimer
  readonly send: (message: UnknownKidMessage) => void
}

interface Asked {
  nextMs: number
  waiting: number
  /** Null: no question is open. */
  open: Open | null
}

interface Open {
  readonly answer: Promise<void>
  readonly settle: () => void
}

/**
 * A data thread's questions to control for keys it does not know: one at a time and issuer, one each cooldown, however
 * many tokens name however many keys. In between, an unknown key costs a look at the clock.
 */
export class KeyRequests {
  readonly #parts: KeyRequestParts
  readonly #issuers = new Map<string, Asked>()

  constructor(parts: KeyRequestParts) {
    this.#parts = parts
  }

  /** Settles when looking again is worth it, answered or not, within two seconds. Null: nothing can be hoped for now. */
  ask(issuer: string, kid: string, cooldownMs: number): Promise<void> | null {
    const asked = this.#asked(issuer)
    if (asked.open !== null) {
      if (asked.waiting >= MAX_WAITING) return null
      asked.waiting++
      return asked.open.answer
    }
    const nowMs = this.#parts.nowMs()
    if (nowMs < asked.nextMs) return null
    asked.nextMs = nowMs + cooldownMs
    asked.waiting = 1
    asked.open = this.#open(asked)
    this.#parts.send({ kind: 'unknown-kid', issuer, kid })
    return asked.open.answer
  }

  answered({ issuer, retryMs }: KeysCheckedMessage): void {
    const asked = this.#asked(issuer)
    asked.nextMs = this.#parts.nowMs() + retryMs
    asked.open?.settle()
  }

  #asked(issuer: string): Asked {
    const known = this.#issuers.get(issuer)
    if (known !== undefined) return known
    const asked: Asked = { nextMs: Number.NEGATIVE_INFINITY, waiting: 0, open: null }
    this.#issuers.set(issuer, asked)
    return asked
  }

  #open(asked: Asked): Open {
    const { promise, resolve } = Promise.withResolvers<void>()
    const settle = (): void => {
      cancel()
      asked.open = null
      resolve()
    }
    const cancel = this.#parts.startTimer(ANSWER_MS, settle)
    return { answer: promise, settle }
  }
}
