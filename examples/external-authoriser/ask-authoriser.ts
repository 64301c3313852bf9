import {
  definePolicy,
  type PolicyExchange,
  type PolicyInstance,
  type PolicyParts,
  type PolicyVerdict,
  refuse,
  unavailable,
} from 'nyro-gateway'

/** How long it is believed that the authoriser is away, so that a broken one does not cost every request its budget. */
const AWAY_MS = 1_000

interface Options {
  /** Asked with POST. By address rather than by name: looking names up waits for threads that all of Node shares. */
  readonly url: string
  /** Longest an answer may take, milliseconds. */
  readonly budgetMs: number
  /** How long an answer is believed, milliseconds; 0: every request asks. */
  readonly keepMs: number
  /** Answers that are kept; the oldest gives way. */
  readonly maxKept: number
  /** What an authoriser that does not answer means: `closed`, nobody passes; `open`, everybody does. */
  readonly onFailure: 'closed' | 'open'
}

interface Kept {
  /** A promise while it is being asked: whoever wants to know the same waits for the same answer. */
  answer: PolicyVerdict | Promise<PolicyVerdict>
  untilMs: number
}

/**
 * Asks an HTTP service whether this caller may do this: 2xx admits, 403 refuses with its body as the reason, anything
 * else, or nothing within the budget, is what `onFailure` says.
 */
export const policy = definePolicy({
  kind: 'external-authoriser',
  timeoutMs: 10_000,
  schema: readOptions,
  create: (options, parts) => new Authoriser(options, parts),
})

class Authoriser implements PolicyInstance {
  readonly #options: Options
  readonly #parts: PolicyParts
  readonly #kept = new Map<string, Kept>()

  constructor(options: Options, parts: PolicyParts) {
    this.#options = options
    this.#parts = parts
  }

  admit: PolicyInstance['admit'] = (exchange) => {
    const question = questionOf(exchange)
    const kept = this.#kept.get(question)
    if (kept !== undefined && this.#parts.nowMs() < kept.untilMs) return kept.answer
    return this.#ask(question)
  }

  #ask(question: string): Promise<PolicyVerdict> {
    const { keepMs, maxKept, budgetMs } = this.#options
    const asked = this.#answerTo(question).then(({ answer, forMs }) => {
      kept.answer = answer
      kept.untilMs = this.#parts.nowMs() + forMs
      if (forMs === 0) this.#kept.delete(question)
      return answer
    })
    const kept: Kept = { answer: asked, untilMs: this.#parts.nowMs() + budgetMs }
    if (keepMs === 0) return asked
    this.#kept.delete(question) // so that it is the newest again
    this.#kept.set(question, kept)
    const oldest = this.#kept.keys().next().value
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest)
    return asked
  }

  /** Never rejects: what goes wrong is what `onFailure` is for. */
  async #answerTo(question: string): Promise<{ answer: PolicyVerdict; forMs: number }> {
    const { url, budgetMs, keepMs, onFailure } = this.#options
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: question,
        redirect: 'error',
        signal: AbortSignal.timeout(budgetMs),
      })
      const reason = await response.text()
      if (response.ok) return { answer: null, forMs: keepMs }
      if (response.status === 403) return { answer: refuse(reason === '' ? null : reason), forMs: keepMs }
      this.#parts.log('warning', 'Authoriser gave no answer', { status: response.status, rule: onFailure })
    } catch (error) {
      this.#parts.log('warning', 'Authoriser gave no answer', { reason: reasonOf(error), rule: onFailure })
    }
    return { answer: onFailure === 'open' ? null : unavailable(), forMs: Math.min(AWAY_MS, keepMs) }
  }
}

/** ECONNREFUSED, TimeoutError: `fetch` hides what went wrong behind a TypeError. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { cause } = error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name
}

/** All the answer may depend on, and the key it is kept by: one caller's answer is never another's. */
function questionOf({ identity, head, clientIp }: PolicyExchange): string {
  const { method, path } = head
  return JSON.stringify({
    tenant: identity?.tenant ?? null,
    subject: identity?.subject ?? null,
    ip: identity === null ? clientIp : null,
    method,
    path,
  })
}

function readOptions(given: unknown): Options {
  const {
    url,
    budgetMs = 250,
    keepMs = 5_000,
    maxKept = 1_000,
    onFailure = 'closed',
    ...others
  } = given as Record<string, unknown> // destructured, then judged
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:/.test(url))
    throw new Error('url is missing or no URL; expected http://host:port/path or https')
  if (typeof budgetMs !== 'number' || !(budgetMs >= 1 && budgetMs <= 5_000))
    throw new Error('budgetMs is no number of milliseconds from 1 to 5000')
  if (typeof keepMs !== 'number' || !(keepMs >= 0 && keepMs <= 60_000))
    throw new Error('keepMs is no number of milliseconds from 0 to 60000')
  if (typeof maxKept !== 'number' || !(maxKept >= 1 && maxKept <= 100_000))
    throw new Error('maxKept is no number from 1 to 100000')
  if (onFailure !== 'closed' && onFailure !== 'open') throw new Error('onFailure is neither closed nor open')
  if (Object.keys(others).length > 0)
    throw new Error('there are other keys than url, budgetMs, keepMs, maxKept and onFailure')
  return { url, budgetMs, keepMs, maxKept, onFailure }
}
