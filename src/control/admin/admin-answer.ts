import { STATUS_CODES } from './node-http.ts'

/** What the process can say of itself. */
export interface AdminStatus {
  readonly status: 'starting' | 'ready' | 'draining'
  /** Data threads that take connections. */
  readonly threads: number
}

export interface Product {
  readonly name: string
  readonly version: string
  /** Version of the runtime. */
  readonly node: string
}

export interface AdminAnswer {
  readonly status: number
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
}

const METHODS: readonly string[] = ['GET', 'HEAD']

/** The operator listener's pages. `path` is without the query. */
export function adminAnswer(method: string, path: string, state: AdminStatus, product: Product): AdminAnswer {
  const page = pageOf(path, state, product)
  if (page === null) return adminProblem(404)
  return METHODS.includes(method) ? page : adminProblem(405, { Allow: METHODS.join(', ') })
}

/** A refusal that says no more than its status (RFC 9457 section 4.2.1). */
export function adminProblem(status: number, fields: AdminAnswer['fields'] = {}): AdminAnswer {
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status })
  return { status, fields: { 'Content-Type': 'application/problem+json', ...fields }, body }
}

function pageOf(path: string, state: AdminStatus, product: Product): AdminAnswer | null {
  switch (path) {
    case '/live':
      return json(200, { status: 'live' })
    case '/ready':
      return json(state.status === 'ready' ? 200 : 503, state)
    case '/version':
      return json(200, product)
    default:
      return null
  }
}

function json(status: number, value: object): AdminAnswer {
  return { status, fields: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) }
}
