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

/** What lies below a path: the resource for the rest of a request's path, or null. */
export type AdminFolder = (rest: string) => AdminResource | null

/** By path; a folder's ends with a slash. */
export type AdminResources = ReadonlyMap<string, AdminResource | AdminFolder>

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
  const resource = pageOf(path, state, product) ?? resourceAt(path, resources)
  if (resource === null) return adminProblem(404)
  const { methods } = resource
  return methods.includes(method)
    ? resource.answer(body, method, accept)
    : adminProblem(405, { Allow: methods.join(', ') })
}

function resourceAt(path: string, resources: AdminResources): AdminResource | null {
  const own = resources.get(path)
  if (own !== undefined) return typeof own === 'function' ? own('') : own
  const slash = path.indexOf('/', 1) + 1
  const folder = slash === 0 ? undefined : resources.get(path.slice(0, slash))
  return typeof folder === 'function' ? folder(path.slice(slash)) : null
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
