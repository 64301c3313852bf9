import { type Answer, answer } from '../proxy/answer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { joinedValues } from '../proxy/field-values.ts'
import type { Policy, Verdict } from '../proxy/policy.ts'

const EXPOSED = 'X-Request-ID, X-Process-Time, Retry-After, RateLimit, RateLimit-Policy'
const NO_BODY = Buffer.alloc(0)
const UNLISTED: Answer = answer(204, '', NO_BODY)

export interface CorsOptions {
  /** `'*'` goes without credentials; listed origins, exactly as browsers send them, are reflected with them. */
  readonly origins: '*' | ReadonlySet<string>
  readonly maxAgeS: number
  /** Methods a preflight may ask for here; null where preflights are not answered (unknown routes). */
  readonly methods: readonly string[] | null
}

/** Says which pages may read a response, and answers preflights (Fetch standard, section 3.2). */
export function corsPolicy(options: CorsOptions): Policy {
  const { origins, maxAgeS, methods } = options
  const allowed = methods === null ? '' : methods.join(', ')
  return {
    kind: 'cors',
    owns: [],
    admit(exchange) {
      const origin = exchange.head.get('origin')
      if (origins !== '*') exchange.answer('Vary', 'Origin')
      if (origin === null) return null
      exchange.crossOrigin = true
      const isListed = origins === '*' || origins.has(origin)
      const wanted = exchange.head.get('access-control-request-method')
      const isPreflight =
        wanted !== null && exchange.head.method === 'OPTIONS' && methods?.includes(wanted) === true
      if (isListed) allow(exchange, origins === '*' ? '*' : origin)
      if (isPreflight) return isListed ? preflight(exchange, allowed, maxAgeS) : UNLISTED
      if (isListed) exchange.answer('Access-Control-Expose-Headers', EXPOSED)
      return null
    },
  }
}

function allow(exchange: Exchange, origin: string): void {
  exchange.answer('Access-Control-Allow-Origin', origin)
  if (origin !== '*') exchange.answer('Access-Control-Allow-Credentials', 'true')
}

function preflight(exchange: Exchange, allowed: string, maxAgeS: number): Verdict {
  exchange.answer('Access-Control-Allow-Methods', allowed)
  // Repeated as asked: `*` does not stand for Authorization, nor for anything when credentials are sent.
  const names = joinedValues(exchange.head, 'access-control-request-headers')
  if (names !== '') exchange.answer('Access-Control-Allow-Headers', names)
  exchange.answer('Access-Control-Max-Age', String(maxAgeS))
  return answer(204, '', NO_BODY)
}
