import { type AdminResource, adminJson, READING } from './admin-answer.ts'

/** `GET /openapi.json` of the operator listener: OpenAPI 3.1 of everything it answers besides the page itself. */
export function openapiResource(version: string): AdminResource {
  return { methods: READING, answer: () => adminJson(200, adminOpenapi(version)) }
}

type Schema = Readonly<Record<string, unknown>>

const TEXT: Schema = { type: 'string' }
const COUNT: Schema = { type: 'integer', minimum: 0 }
const MILLISECONDS: Schema = { type: 'number', description: 'Milliseconds.' }
const OPTIONAL_TEXT: Schema = { type: ['string', 'null'] }

/** The document: what is required of a request is checked by the listener in the same words. */
export function adminOpenapi(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nyro Gateway admin API',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'The operator listener: loopback only by default; elsewhere a token is required. A body must be ' +
        'application/json, and a browser may send one only from the listener itself.',
    },
    servers: [{ url: '/' }],
    security: [{}, { token: [] }],
    paths: PATHS,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'admin.token' } },
      schemas: SCHEMAS,
      responses: {
        Refused: {
          description: 'Refused; 401 and 404 say nothing more.',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  }
}

function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) }
}

function list(items: Schema): Schema {
  return { type: 'array', items }
}

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

function answered(operationId: string, summary: string, schema: Schema, more: object = {}): object {
  return {
    operationId,
    summary,
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema } } },
      default: { $ref: '#/components/responses/Refused' },
    },
    ...more,
  }
}

function taking(schema: Schema): object {
  return { requestBody: { required: true, content: { 'application/json': { schema } } } }
}

function parameter(name: string, description: string): object {
  return { name, in: 'path', required: true, description, schema: TEXT }
}

const LEVEL: Schema = { type: 'string', enum: ['debug', 'info', 'warning', 'error', 'critical'] }
const STATE: Schema = {
  type: 'string',
  enum: ['enabled', 'draining', 'disabled'],
  description:
    'draining: no new exchanges, those under way end as they like. disabled: the same, and those under way are cut off.',
}
const REVOCABLE: Schema = { type: 'string', enum: ['jti', 'subject', 'tenant'] }
const STATUS: Schema = { type: 'string', enum: ['starting', 'ready', 'draining'] }

const SCHEMAS: Readonly<Record<string, Schema>> = {
  Problem: {
    type: 'object',
    properties: {
      type: TEXT,
      title: TEXT,
      status: { type: 'integer' },
      detail: TEXT,
      member: { type: 'string', description: 'The member of the body that is wrong.' },
      problems: list(TEXT),
    },
    required: ['type', 'title', 'status'],
  },
  Status: object({ status: STATUS, threads: { ...COUNT, description: 'That take connections.' } }),
  Endpoint: object({
    target: TEXT,
    address: TEXT,
    inFlight: COUNT,
    breaker: { type: 'string', enum: ['closed', 'open', 'probing'] },
    health: { type: 'string', enum: ['up', 'down'] },
    state: STATE,
  }),
  Upstream: object({
    name: TEXT,
    openConnections: COUNT,
    admission: {
      ...object({ inUse: COUNT, limit: COUNT, waiting: COUNT, tenants: COUNT }),
      type: ['object', 'null'],
      description: 'Null: it takes whatever comes.',
    },
    names: { type: 'string', enum: ['resolved', 'resolving', 'unknown'] },
    endpoints: list(ref('Endpoint')),
  }),
  Route: object({
    name: TEXT,
    host: TEXT,
    path: TEXT,
    methods: list(TEXT),
    conditions: list(TEXT),
    auth: TEXT,
    ending: TEXT,
  }),
  Tenant: object({
    tenant: { ...OPTIONAL_TEXT, description: 'Null: all that are not named.' },
    requests: COUNT,
    share: { type: 'number', minimum: 0, maximum: 1 },
    refusals: COUNT,
    latencyMs: MILLISECONDS,
    waiting: { ...COUNT, description: 'For a place in an upstream, now.' },
  }),
  Failure: object({
    number: COUNT,
    atMs: { type: 'number', description: 'Wall clock.' },
    requestId: TEXT,
    traceId: { ...OPTIONAL_TEXT, description: 'Null: tracing is off.' },
    method: TEXT,
    host: TEXT,
    path: { type: 'string', description: 'Without the query.' },
    status: { type: 'integer' },
    code: { ...OPTIONAL_TEXT, description: 'Null: the upstream answered so.' },
    route: OPTIONAL_TEXT,
    upstream: OPTIONAL_TEXT,
    target: OPTIONAL_TEXT,
    tenant: OPTIONAL_TEXT,
    clientIp: TEXT,
    durationMs: MILLISECONDS,
  }),
  Revocation: object({ kind: REVOCABLE, value: TEXT, untilS: { type: ['number', 'null'] } }),
  Revoked: {
    type: 'object',
    properties: {
      kind: REVOCABLE,
      value: TEXT,
      untilS: { type: ['number', 'null'] },
      stored: { type: ['boolean', 'null'], description: 'Null: there is no store.' },
    },
    required: ['kind', 'value', 'stored'],
  },
  Revocable: {
    type: 'object',
    description: 'Exactly one of jti, subject and tenant.',
    properties: { jti: TEXT, subject: TEXT, tenant: TEXT, forS: { type: 'number', exclusiveMinimum: 0 } },
    minProperties: 1,
    maxProperties: 2,
  },
  Change: object({ path: TEXT, words: TEXT, needsRestart: { type: 'boolean' } }),
  Reload: object({ changed: { type: 'boolean' }, changes: list(ref('Change')) }),
  LastReload: object({
    atMs: { type: 'number' },
    cause: { type: 'string', enum: ['file', 'signal', 'admin'] },
    outcome: { type: 'string', enum: ['applied', 'refused'] },
    changes: list(ref('Change')),
    problems: list(TEXT),
  }),
  Asked: {
    type: 'object',
    properties: {
      method: TEXT,
      url: { type: 'string', description: 'A path, or an absolute http URL whose authority becomes Host.' },
      fields: list(TEXT),
      token: OPTIONAL_TEXT,
      from: { type: 'string', description: "The peer's address." },
    },
    required: ['method', 'url'],
  },
}

const PATHS = {
  '/live': {
    get: answered('live', 'Whether the process works', object({ status: TEXT }), { security: [{}] }),
  },
  '/ready': {
    get: answered('ready', 'Whether it takes traffic; 503 while it does not', ref('Status'), {
      security: [{}],
    }),
  },
  '/version': {
    get: answered('version', 'Name, version and runtime', object({ name: TEXT, version: TEXT, node: TEXT })),
  },
  '/config': {
    get: answered('config', 'The config in force, each secret replaced by (secret)', { type: 'object' }),
  },
  '/config/difference': {
    get: answered(
      'configDifference',
      'What the last reload changed or was refused for',
      object({ last: { anyOf: [ref('LastReload'), { type: 'null' }] } }),
    ),
  },
  '/config/reload': {
    post: answered(
      'reload',
      'Loads the config again; 422 names every problem, and the last good one serves on',
      ref('Reload'),
    ),
  },
  '/routes': { get: answered('routes', 'The table in match order', object({ routes: list(ref('Route')) })) },
  '/upstreams': {
    get: answered(
      'upstreams',
      'Where traffic can go now, over all data threads',
      object({ upstreams: list(ref('Upstream')) }),
    ),
  },
  '/upstreams/{name}/endpoints/{target}': {
    parameters: [
      parameter('name', "The upstream's name."),
      parameter('target', 'host:port, percent-encoded; all its addresses.'),
    ],
    post: answered(
      'setEndpoint',
      'Takes an endpoint out of service or back; outlasts reloads, and no restart',
      object({ upstream: TEXT, target: TEXT, state: STATE, addresses: list(TEXT) }),
      taking(object({ state: STATE })),
    ),
  },
  '/tenants': {
    get: answered(
      'tenants',
      'The busiest tenants of the last minute',
      object({ windowS: COUNT, tenants: list(ref('Tenant')) }),
    ),
  },
  '/failures': {
    get: answered(
      'failures',
      'The last failures, two hundred at most, oldest first',
      object({ failures: list(ref('Failure')) }),
    ),
  },
  '/explain': {
    post: answered(
      'explain',
      'What would become of a request, by the config in force and the state of its upstreams',
      { type: 'object' },
      taking(ref('Asked')),
    ),
  },
  '/log-level': {
    get: answered('logLevel', 'Of all threads', object({ level: LEVEL })),
    put: answered(
      'setLogLevel',
      'In force on all threads until a config is put in force',
      object({ level: LEVEL }),
      taking(object({ level: LEVEL })),
    ),
  },
  '/drain': {
    post: {
      operationId: 'drain',
      summary: 'Begins to shut down in order, as SIGTERM does',
      responses: {
        202: {
          description: 'It drains.',
          content: { 'application/json': { schema: object({ status: STATUS }) } },
        },
        default: { $ref: '#/components/responses/Refused' },
      },
    },
  },
  '/events': {
    get: {
      operationId: 'events',
      summary: 'The live page: begin, then second once a second',
      responses: {
        200: {
          description: 'Server-sent events; at most 32 streams at once, then 503.',
          content: { 'text/event-stream': { schema: TEXT } },
        },
        default: { $ref: '#/components/responses/Refused' },
      },
    },
  },
  '/keys': {
    get: answered('keys', 'What is known of each issuer that publishes its keys; never a key', {
      type: 'object',
      properties: { issuers: list({ type: 'object' }) },
    }),
  },
  '/revocations': {
    get: answered('revocations', 'All in force', object({ revocations: list(ref('Revocation')) })),
    post: answered(
      'revoke',
      'In force in every data thread when it is answered',
      ref('Revoked'),
      taking(ref('Revocable')),
    ),
    delete: answered('lift', 'Lifts what was revoked', ref('Revoked'), taking(ref('Revocable'))),
  },
  '/.well-known/jwks.json': {
    get: {
      operationId: 'jwks',
      summary: 'Public keys of the assertions that upstreams get',
      security: [{}],
      responses: {
        200: {
          description: 'RFC 7517.',
          content: { 'application/jwk-set+json': { schema: object({ keys: list({ type: 'object' }) }) } },
        },
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Prometheus text, or OpenMetrics where Accept asks for it',
      responses: {
        200: {
          description: 'Done.',
          content: { 'text/plain': { schema: TEXT }, 'application/openmetrics-text': { schema: TEXT } },
        },
        default: { $ref: '#/components/responses/Refused' },
      },
    },
  },
  '/openapi.json': { get: answered('openapi', 'This document', { type: 'object' }) },
} as const
