import type { TimerWheel } from '../../http1/timer-wheel.ts'
import type { Exchange } from '../../proxy/exchange.ts'
import type { Policy, Verdict } from '../../proxy/policy.ts'
import { AdmissionWait } from './admission-wait.ts'
import type { PolicyInstance, PolicyParts } from './define-policy.ts'
import type { PolicyVerdict } from './policy-verdict.ts'
import { UserExchange } from './user-exchange.ts'
import { UNAVAILABLE, verdictOf } from './verdict-of.ts'

const MAX_STACK_LENGTH = 4_096
/** A policy that hangs says so this often, not once an exchange. */
const REPEAT_MS = 10_000

/** What a policy's file says of itself, judged. */
export interface PolicyTraits {
  readonly kind: string
  /** As written. */
  readonly owns: readonly string[]
  readonly timeoutMs: number
}

/** A user's policy as the pipeline asks it: what the author's code does wrong ends one exchange, as what it is. */
export class UserPolicy implements Policy {
  readonly kind: string
  /** Lower case. */
  readonly owns: readonly string[]
  readonly #owned: ReadonlySet<string>
  readonly #timeoutMs: number
  readonly #instance: PolicyInstance
  readonly #parts: PolicyParts
  readonly #wheel: TimerWheel
  #saidMs = Number.NEGATIVE_INFINITY

  constructor(traits: PolicyTraits, instance: PolicyInstance, parts: PolicyParts, wheel: TimerWheel) {
    this.kind = traits.kind
    this.owns = traits.owns.map((name) => name.toLowerCase())
    this.#owned = new Set(this.owns)
    this.#timeoutMs = traits.timeoutMs
    this.#instance = instance
    this.#parts = parts
    this.#wheel = wheel
  }

  admit(exchange: Exchange): Verdict | Promise<Verdict> {
    const view = new UserExchange(exchange, this.#owned, 'admit')
    let isWaiting = false
    try {
      const given = this.#instance.admit(view)
      isWaiting = isThenable(given)
      return isWaiting
        ? this.#wait(given as PromiseLike<PolicyVerdict>, view)
        : verdictOf(given as PolicyVerdict) // isThenable told them apart
    } catch (error) {
      throw this.#defect('admit', error)
    } finally {
      if (!isWaiting) view.close()
    }
  }

  settle(exchange: Exchange): void {
    if (this.#instance.settle === undefined) return
    const view = new UserExchange(exchange, this.#owned, 'settle')
    try {
      const given: unknown = this.#instance.settle(view)
      // An async settle is against the types, but its rejection would end the whole thread.
      if (isThenable(given)) given.then(null, (error: unknown) => this.#sayUnsettled(error))
    } catch (error) {
      this.#sayUnsettled(error)
    } finally {
      view.close()
    }
  }

  #wait(given: PromiseLike<PolicyVerdict>, view: UserExchange): Promise<Verdict> {
    return AdmissionWait.bound(given, this.#timeoutMs, this.#wheel, {
      decided: (verdict) => {
        view.close()
        return verdictOf(verdict)
      },
      failed: (error) => {
        view.close()
        return this.#defect('admit', error)
      },
      expired: () => {
        view.close()
        this.#sayExpired()
        return UNAVAILABLE
      },
    })
  }

  #sayExpired(): void {
    const nowMs = this.#parts.nowMs()
    if (nowMs - this.#saidMs < REPEAT_MS) return
    this.#saidMs = nowMs
    this.#parts.log('error', 'Policy did not decide in time', { timeout_ms: this.#timeoutMs })
  }

  #sayUnsettled(error: unknown): void {
    this.#parts.log('error', 'Policy failed to settle', { error: this.#defect('settle', error).stack ?? '' })
  }

  #defect(during: 'admit' | 'settle', thrown: unknown): Error {
    const what = `policy ${this.kind} failed in ${during}`
    const isError = thrown instanceof Error
    const defect = new Error(`${what}: ${isError ? thrown.message : String(thrown)}`)
    // Where the author's code threw, not where it was caught.
    if (isError) defect.stack = `${what}: ${thrown.stack ?? thrown.message}`.slice(0, MAX_STACK_LENGTH)
    return defect
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
