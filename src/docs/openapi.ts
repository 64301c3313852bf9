import type { Config, RouteConfig } from '../config/config.ts'
import { FAILURES, type FailureCode } from '../proxy/failure.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type JsonObject = { readonly [key: string]: Json }

/** Of the API the document describes, as its clients know it; the product's own version is on the operator listener. */
const API_VERSION = '1.0.0'

/** The fixed fields of a Path Item Object (OpenAPI 3.1 section 4.8.9.1); it has no place for any other method. */
const DESCRIBABLE_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

/** Statuses that a client treats one by one; the others share a range. */
const TOLD_APART = [400, 401, 403, 502, 503, 504]

/** Cannot happen once a route has taken the request. */
const BEFORE_A_ROUTE: ReadonlySet<FailureCode> = new Set(['route_unknown', 'method_not_allowed'])

/**
 * The OpenAPI 3.1 document of the live routes: one path item a proxied path, and the gateway's own endpoints.
 * Plain data, ready for JSON.stringify. Names upstreams as configured, never their addresses.
 */
export function openApi(config: Config): object {
  return {
    openapi: '3.1.0',
    info: {
      title: config.name,
      description:
        'Single, secure entry point to the services behind it: verifies who calls, states the tenant, ' +
        'and passes requests and responses through as they are.',
      version: API_VERSION,
    },
    tags: [
      { name: 'Proxy', description: 'Routes that are passed on to a service.' },
      { name: 'Gateway Status', description: 'Answered by the gateway itself.' },
    ],
    paths: { ...proxiedPaths(config.routes), ...ownPaths(config.routes) },
    components: {
      schemas: { Problem: PROBLEM },
      headers: HEADERS,
      responses: { ...failureResponses(), Draining: failureResponse(['draining']) },
      securitySchemes: { HTTPBearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

/** Whether a configured route takes this very path on every host, so that it wins over the gateway's own page there. */
export function isRouted(routes: readonly RouteConfig[], path: string): boolean {
  const below = path === '/' ? '/*' : `${path}/*`
  return routes.some(({ match }) => match.hosts.length === 0 && (match.path === path || match.path === below))
}

/** Of routes that share a path and a method, the one that asks least of a request is described. */
function proxiedPaths(routes: readonly RouteConfig[]): JsonObject {
  const paths: Record<string, JsonObject> = {}
  // Templates that differ in nothing but names of parameters are one path (OpenAPI 3.1 section 4.8.8).
  const known = new Map<string, string>()
  for (const route of [...routes].sort((a, b) => conditionsOf(a) - conditionsOf(b))) {
    const { match } = route
    const template = templateOf(match.path)
    const shape = template.replaceAll(PARAMETER, '{}')
    const path = known.get(shape) ?? template
    known.set(shape, path)
    const names = [...path.matchAll(PARAMETER)].map(([, name = '']) => name)
    const methods = DESCRIBABLE_METHODS.filter((method) => match.methods.includes(method))
    paths[path] = {
      ...Object.fromEntries(methods.map((method) => [method.toLowerCase(), operation(route, method)])),
      ...(names.length === 0
        ? {}
        : { parameters: names.map((name) => pathParameter(name, path, match.path)) }),
      ...paths[path],
    }
  }
  return paths
}

function conditionsOf({ match }: RouteConfig): number {
  return match.hosts.length + match.headers.length + match.query.length
}

const PARAMETER = /\{([^}]*)\}/g
const REST = 'path'

/** `/users/:id/*` as OpenAPI writes it. */
function templateOf(path: string): string {
  const segments = path
    .split('/')
    .map((segment) => (segment.length > 1 && segment.startsWith(':') ? `{${segment.slice(1)}}` : segment))
  if (segments.at(-1) === '*')
    segments[segments.length - 1] = segments.includes(`{${REST}}`) ? `{${REST}_}` : `{${REST}}`
  return segments.join('/')
}

function pathParameter(name: string, template: string, path: string): JsonObject {
  const isRest = path.endsWith('/*') && template.endsWith(`/{${name}}`)
  return {
    name,
    in: 'path',
    required: true,
    description: isRest
      ? 'The rest of the path, further slashes included; passed on exactly as received.'
      : 'One segment of the path; passed on exactly as received.',
    schema: { type: 'string', ...(isRest ? { title: 'Path' } : {}) },
  }
}

function operation(route: RouteConfig, method: string): JsonObject {
  const { auth, ending, name } = route
  return {
    tags: ['Proxy'],
    ...(ending.kind === 'redirect' ? redirectText(route) : proxyText(route)),
    operationId: `${name}_${method.toLowerCase()}`,
    security: auth === 'none' ? [] : auth === 'optional' ? [...BEARER, {}] : BEARER,
    ...(BODY_METHODS.has(method) && ending.kind === 'forward' ? { requestBody: REQUEST_BODY } : {}),
    responses: responsesOf(route),
  }
}

const BEARER: readonly JsonObject[] = [{ HTTPBearer: [] }]

function proxyText(route: RouteConfig): JsonObject {
  const service = serviceOf(route)
  const { path } = route.match
  return {
    summary: `Proxy to ${service.slice(0, 1).toUpperCase()}${service.slice(1)} Service`,
    description: path.endsWith('/*')
      ? `Passes every request under ${path.slice(0, -1)} on to the ${service} service.`
      : `Passes the request on to the ${service} service.`,
  }
}

function redirectText({ name }: RouteConfig): JsonObject {
  return { summary: `Redirect of ${name}`, description: 'Says where the resource is to be found.' }
}

/** The service a route is known by: where most of its exchanges go, or the route itself where it redirects. */
function serviceOf({ name, ending }: RouteConfig): string {
  if (ending.kind === 'redirect') return name
  return ending.upstreams.reduce((best, next) => (next.weight > best.weight ? next : best)).name
}

const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

const REQUEST_BODY: JsonObject = {
  description: 'Whatever the service takes, in any media type; streamed.',
  content: { 'application/json': { schema: {} }, 'application/octet-stream': { schema: {} } },
}

function responsesOf({ auth, ending }: RouteConfig): JsonObject {
  const responses: Record<string, Json> =
    ending.kind === 'redirect' ? { [ending.status]: REDIRECTED } : { 200: SERVICE_ANSWER }
  for (const range of FAILURE_RANGES.keys()) {
    const isAboutIdentity = range === '401' || range === '403'
    if (isAboutIdentity && auth === 'none') continue
    if (ABOUT_UPSTREAMS.has(range) && ending.kind === 'redirect') continue
    responses[range] = { $ref: `#/components/responses/${responseName(range)}` }
  }
  return responses
}

const ABOUT_UPSTREAMS: ReadonlySet<string> = new Set(['502', '503', '504'])

function ownPaths(routes: readonly RouteConfig[]): JsonObject {
  const paths: Record<string, Json> = {}
  if (!isRouted(routes, '/')) {
    paths['/'] = ownPathItem('root', 'Root endpoint', 'Says that the gateway is running.', {
      200: ownResponse('The gateway is running.', { message: { type: 'string' } }),
    })
  }
  const unavailable: Json = { $ref: '#/components/responses/Draining' }
  const health = {
    200: ownResponse('Ready for traffic.', {
      status: { type: 'string', const: 'healthy' },
      service: { type: 'string' },
    }),
    503: unavailable,
  }
  paths['/health'] = ownPathItem(
    'health',
    'Kubernetes Health Check',
    'Whether the gateway is ready for traffic: no longer so from the moment it starts to drain.',
    health,
  )
  paths['/health/live'] = ownPathItem(
    'health_live',
    'Kubernetes liveness probe',
    'Answers for as long as the process works, draining included.',
    { 200: { description: 'The process works.', headers: COMMON_HEADERS } },
  )
  paths['/health/ready'] = ownPathItem(
    'health_ready',
    'Kubernetes readiness probe',
    'As /health: 503 while starting and from the moment draining starts.',
    { 200: { description: 'Ready for traffic.', headers: COMMON_HEADERS }, 503: unavailable },
  )
  return paths
}

function ownPathItem(id: string, summary: string, description: string, responses: JsonObject): JsonObject {
  const operation = { tags: ['Gateway Status'], summary, description, security: [], responses }
  return { get: { ...operation, operationId: `${id}_get` } }
}

function ownResponse(description: string, properties: JsonObject): JsonObject {
  return {
    description,
    headers: COMMON_HEADERS,
    content: {
      'application/json': { schema: { type: 'object', required: Object.keys(properties), properties } },
    },
  }
}

/** Keys as in a Responses Object (OpenAPI 3.1 section 4.8.16): a status, or `4XX` and `5XX` for the rest. */
function codesByRange(): ReadonlyMap<string, readonly FailureCode[]> {
  const ranges = new Map<string, FailureCode[]>()
  for (const code of Object.keys(FAILURES) as FailureCode[]) {
    if (BEFORE_A_ROUTE.has(code)) continue
    const { status } = FAILURES[code]
    const range = TOLD_APART.includes(status) ? String(status) : `${Math.floor(status / 100)}XX`
    ranges.set(range, [...(ranges.get(range) ?? []), code])
  }
  return ranges
}

const FAILURE_RANGES = codesByRange()

function failureResponses(): JsonObject {
  const responses = [...FAILURE_RANGES].map(([range, codes]) => [responseName(range), failureResponse(codes)])
  return Object.fromEntries(responses)
}

function responseName(range: string): string {
  return `Failure${range}`
}

function failureResponse(codes: readonly FailureCode[]): JsonObject {
  const statuses = codes.map((code) => FAILURES[code].status)
  return {
    description: `The gateway's own failure. \`code\` says which: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    headers: {
      ...COMMON_HEADERS,
      ...(statuses.includes(401)
        ? { 'WWW-Authenticate': { $ref: '#/components/headers/WWW-Authenticate' } }
        : {}),
      ...(statuses.includes(503) ? { 'Retry-After': { $ref: '#/components/headers/Retry-After' } } : {}),
    },
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { value: example(code) }])),
      },
    },
  }
}

function example(code: FailureCode): JsonObject {
  const { status, title, detail } = FAILURES[code]
  return {
    type: `urn:problem-type:nyro:${code}`,
    title,
    status,
    detail,
    code,
    request_id: '3f0e9d52-8a1c-4f6e-9f57-1c2d3e4f5a6b',
  }
}

const PROBLEM: JsonObject = {
  title: 'Problem',
  description: 'A failure of the gateway itself, as RFC 9457 problem details.',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri', description: '`urn:problem-type:nyro:` and the code.' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'For people; its wording may change, `code` does not.' },
    code: { type: 'string', enum: Object.keys(FAILURES) },
    request_id: { type: 'string', description: 'The same as X-Request-ID; in the logs.' },
  },
}

const HEADERS: JsonObject = {
  'X-Request-ID': {
    description: "The client's own if it sent a usable one, else a new UUID.",
    schema: { type: 'string' },
  },
  'X-Process-Time': { description: 'Seconds until the response head, decimal.', schema: { type: 'number' } },
  'WWW-Authenticate': { description: 'RFC 6750 section 3.', schema: { type: 'string' } },
  Location: {
    description: 'Where to; the query is kept.',
    schema: { type: 'string', format: 'uri-reference' },
  },
  'Retry-After': { description: 'Seconds; not on every 503.', schema: { type: 'integer' } },
}

const COMMON_HEADERS: JsonObject = {
  'X-Request-ID': { $ref: '#/components/headers/X-Request-ID' },
  'X-Process-Time': { $ref: '#/components/headers/X-Process-Time' },
}

const SERVICE_ANSWER: JsonObject = {
  description: "The service's own answer, whatever its status and media type.",
  headers: COMMON_HEADERS,
  content: { 'application/json': { schema: {} }, '*/*': { schema: {} } },
}

const REDIRECTED: JsonObject = {
  description: 'It is somewhere else.',
  headers: { ...COMMON_HEADERS, Location: { $ref: '#/components/headers/Location' } },
}
