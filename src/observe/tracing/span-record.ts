/**
 * What a data thread says of a finished exchange whose trace is kept: one line of JSON in a ring, which control makes
 * spans of. Times are milliseconds since the epoch, with fractions. Never a credential, never a query string.
 */
export interface ExchangeRecord {
  readonly traceId: string
  readonly spanId: string
  /** Of whoever asked; null: the trace begins here. */
  readonly parentId: string | null
  /** As it came; empty: none. */
  readonly state: string
  readonly startMs: number
  readonly endMs: number
  readonly requestId: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly scheme: string
  readonly host: string
  /** HTTP/1.x. */
  readonly minor: number
  readonly clientIp: string
  readonly tenant: string | null
  readonly route: string | null
  /** 0: the client got none. */
  readonly status: number
  readonly code: string | null
  readonly aborted: boolean
  readonly children: readonly ChildRecord[]
  /** Children beyond those that are kept. */
  readonly dropped: number
}

/** One thing an exchange waited for: a policy, or a try at an upstream. */
export interface ChildRecord {
  readonly kind: 'policy' | 'attempt'
  /** Of the policy's kind, or of the upstream. */
  readonly name: string
  readonly spanId: string
  readonly startMs: number
  readonly endMs: number
  /** host:port; null: it never got that far. */
  readonly target: string | null
  /** Of the response; 0: none. */
  readonly status: number
  /** What kept it from one; null: nothing did. */
  readonly fault: string | null
}
