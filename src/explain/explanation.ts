/** What would become of a request, as plain data: the whole of what `nyro explain --json` prints. Holds no secret. */
export interface Explanation {
  readonly request: { readonly method: string; readonly target: string; readonly host: string }
  readonly route: RouteExplanation
  /** Asked in this order, until one refuses or answers. */
  readonly policies: readonly PolicyExplanation[]
  /** Who calls, if a credential was believed. */
  readonly identity: { readonly subject: string; readonly tenant: string } | null
  readonly ending: EndingExplanation
  /** Null where nothing is forwarded. */
  readonly upstream: UpstreamExplanation | null
}

export interface RouteExplanation {
  /** Null: no configured route stands behind it (own endpoints, refusals). */
  readonly chosen: string | null
  /** The nearest of the others, and why each was not it. */
  readonly others: readonly { readonly name: string; readonly because: readonly string[] }[]
}

export interface PolicyExplanation {
  readonly policy: string
  readonly verdict: 'admits' | 'refuses' | 'answers'
  readonly reason: string
}

export type EndingExplanation =
  | { readonly kind: 'forwarded' }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly detail: string }
  | { readonly kind: 'answered'; readonly status: number; readonly fields: readonly string[] }

export interface UpstreamExplanation {
  readonly choices: readonly {
    readonly name: string
    /** Of the exchanges of this route, in percent. */
    readonly share: number
  }[]
  /** The one that is described here: the likeliest. */
  readonly name: string
  readonly balance: string
  readonly endpoints: readonly EndpointExplanation[]
  /** `METHOD target HTTP/1.1`, as the upstream gets it. */
  readonly requestLine: string
  /** Fields as the upstream gets them; credentials are not shown. */
  readonly fields: readonly string[]
  /** Names of the client's fields that do not pass. */
  readonly stripped: readonly string[]
  /** Names that the gateway states or replaces. */
  readonly asserted: readonly string[]
}

export interface EndpointExplanation {
  readonly target: string
  /** Null while the name has not been resolved, as it is offline. */
  readonly address: string | null
  readonly state: string
}
