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

/** Something behind a path of the operator listener, besides the pages every process has. */
export interface AdminResource {
  readonly methods: readonly string[]
  /** `body`: the request's, as text; empty where it has none. `accept`: its Accept field. */
  answer(body: string, method: string, accept?: string): AdminAnswer | Promise<AdminAnswer>
}

export type AdminResources = ReadonlyMap<string, AdminResource>

export const READING: readonly string[] = ['GET', 'HEAD']

/** The operator listener's answers. `path` is without the query; `body` is the request's. */
export function adminAnswer(
  method: string,
  path: string,
  state: AdminStatus,
  product: Product,
  resources: AdminResources,
  body: string,
  accept = '',
): AdminAnswer | Promise<AdminAnswer> {
  const resource = pageOf(path, state, product) ?? resources.get(path) ?? null
  if (resource === null) return adminProblem(404)
  const { methods } = resource
  return methods.includes(method)
    ? resource.answer(body, method, accept)
    : adminProblem(405, { Allow: methods.join(', ') })
}

/** A refusal that says no more than its status (RFC 9457 section 4.2.1), unless it is given members of its own. */
export function adminProblem(
  status: number,
  fields: AdminAnswer['fields'] = {},
  members: object = {},
): AdminAnswer {
  const body = JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, ...members })
  return { status, fields: { 'Content-Type': 'application/problem+json', ...fields }, body }
}

export function adminJson(status: number, value: object): AdminAnswer {
  return { status, fields: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) }
}

function pageOf(path: string, state: AdminStatus, product: Product): AdminResource | null {
  switch (path) {
    case '/live':
      return page(adminJson(200, { status: 'live' }))
    case '/ready':
      return page(adminJson(state.status === 'ready' ? 200 : 503, state))
    case '/version':
      return page(adminJson(200, product))
    default:
      return null
  }
}

function page(answer: AdminAnswer): AdminResource {
  return { methods: READING, answer: () => answer }
}
