import { z } from 'zod'
import { listenHost, port } from '../address-format.ts'
import { STORE_DEFAULTS } from '../default.ts'
import { bearerToken, line } from '../format.ts'
import { identitySchema } from './identity-schema.ts'
import { durationLeaf, flagLeaf, leaf, type Reference, section, text, wholeLeaf } from './leaf.ts'
import { addressBlock, anyOrigin, origin, redisUrl } from './list-format.ts'
import { logSchema, tracingSchema } from './observe-schema.ts'
import { routeSchema } from './route-schema.ts'
import { tenantSchema } from './tenant-schema.ts'
import { upstreamSchema } from './upstream-schema.ts'

const portLeaf = leaf<number | Reference, number>(port, {
  takes: 'quantity',
  json: { type: 'integer', minimum: 0, maximum: 65_535 },
})

const listen = section({
  host: text(listenHost)
    .prefault('0.0.0.0')
    .meta({ description: 'Address of the public listener; `::` serves both families. `GATEWAY_HOST` wins.' }),
  port: portLeaf.prefault(8080).meta({
    description: 'Port of the public listener; 0 takes a free one. `GATEWAY_PORT` wins.',
  }),
  timeouts: section({
    head: durationLeaf(1).prefault('10s').meta({
      description: "From the first byte of a request's head to its end; 408 after that.",
    }),
    body: durationLeaf(1).prefault('60s').meta({ description: 'The longest pause within a request body.' }),
    idle: durationLeaf(1).prefault('75s').meta({
      description:
        'How long a connection may wait for its next request. Longer than what stands in front keeps it.',
    }),
  })
    .prefault({})
    .meta({ description: 'What clients are waited for. Towards upstreams: `upstreams.<name>.timeouts`.' }),
  maxConnections: wholeLeaf(1, 1_000_000).prefault(10_000).meta({
    description: 'Open client connections, whole process.',
  }),
})

const admin = section({
  host: text(listenHost)
    .prefault('127.0.0.1')
    .meta({ description: 'Address of the operator listener. `GATEWAY_ADMIN_HOST` wins.' }),
  port: portLeaf.prefault(9901).meta({ description: 'Its port. `GATEWAY_ADMIN_PORT` wins.' }),
  token: leaf<Reference, string>(bearerToken, { secrecy: 'never' }).optional().meta({
    description:
      'What operators send as Bearer token. Required unless `admin.host` is loopback. `GATEWAY_ADMIN_TOKEN` wins.',
  }),
})

const cors = section({
  origins: z
    .union([leaf<'*' | Reference, '*'>(anyOrigin, { json: { const: '*' } }), z.array(text(origin))])
    .optional()
    .meta({
      accepts: '`*`, or a list of origins',
      unset: '`*`; in production none',
      description:
        'Origins that browsers may call from. Listed ones may send credentials, `*` never does; `[]` allows none.',
    }),
  maxAge: durationLeaf(0).prefault('10m').meta({
    description: 'How long a browser may remember a preflight, in whole seconds.',
  }),
})

const shutdown = section({
  delay: durationLeaf(0)
    .prefault('0s')
    .meta({
      description:
        'From the stop signal, when readiness turns 503, until the listeners close. From 2s on, clients that honour ' +
        '`Connection: close` lose no request. `GATEWAY_SHUTDOWN_DELAY` (seconds) wins.',
    }),
  timeout: durationLeaf(0).prefault('30s').meta({
    description:
      'From the stop signal until the process ends, whatever still runs. `GATEWAY_SHUTDOWN_TIMEOUT` (seconds) wins.',
  }),
})

/** Everything a configuration file may say: the types, the judgement, the JSON Schema and the reference are made from it. */
export const gatewaySchema = section({
  $schema: text(line).optional().meta({ description: 'For editors; the gateway does not read it.' }),
  name: text(line)
    .prefault('Nyro API Gateway')
    .meta({ description: 'Shown in `/`, `/health`, the docs pages and logs.' }),
  production: flagLeaf.prefault(false).meta({
    description: 'Tightens defaults: browsers of no origin may call unless `cors.origins` lists it.',
  }),
  listen: listen.prefault({}).meta({ description: 'The public listener.' }),
  admin: admin.prefault({}).meta({ description: 'The operator listener.' }),
  workers: wholeLeaf(1, 1024).optional().meta({
    unset: 'number of usable cores',
    description: 'Data-plane threads. `GATEWAY_WORKERS` wins.',
  }),
  log: logSchema.prefault({}).meta({ description: 'What is logged, and where to.' }),
  tracing: tracingSchema.optional().meta({
    unset: 'off',
    description: 'Traces (W3C Trace Context) and where their spans are sent: docs/tracing.md.',
  }),
  trustedProxies: z
    .array(text(addressBlock))
    .prefault([])
    .meta({ description: 'Peers whose `X-Forwarded-*` fields are believed.' }),
  cors: cors.prefault({}).meta({ description: 'Who may call from a browser (Fetch standard).' }),
  shutdown: shutdown.prefault({}).meta({ description: 'How the process ends.' }),
  docs: flagLeaf.prefault('on').meta({ description: 'Serve `/docs`, `/redoc` and `/openapi.json`.' }),
  store: section({
    redis: leaf<string, string>(redisUrl, { secrecy: 'never', empty: 'taken' })
      .prefault('')
      .meta({
        description:
          "URL of the Redis or Valkey that replicas share limits through. Empty: this process's memory, exact across " +
          'its threads.',
      }),
    buckets: wholeLeaf(1_024, 67_108_864)
      .prefault(STORE_DEFAULTS.buckets)
      .meta({
        description:
          'How many buckets of limits this process remembers at once, 20 bytes each of which the system provides what is ' +
          'used; best twice as many as there are tenants, subjects and addresses to be told apart. Needs a restart.',
      }),
  })
    .prefault({})
    .meta({ description: 'Where limits and quotas are counted.' }),
  identity: identitySchema.prefault({}).meta({ description: 'Who calls.' }),
  tenant: tenantSchema.prefault({}).meta({ description: 'For whom, and what that allows.' }),
  upstreams: z
    .record(z.string(), upstreamSchema)
    .prefault({})
    .meta({ description: 'The services behind the gateway, by name. At most 1024, with 4096 endpoints.' }),
  routes: z.array(routeSchema).prefault([]).meta({
    description:
      'Which requests are taken and where they go. Most specific first, whatever their order here.',
  }),
}).meta({ title: 'Nyro Gateway configuration' })

/** What a configuration file says, as it is written: what `defineGateway` takes. Constants (`as const`) fit too. */
export type GatewayConfig = Written<z.input<typeof gatewaySchema>>

type Written<T> = T extends readonly (infer Item)[]
  ? readonly Written<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Written<T[Key]> }
    : T

/** The same, judged and with its defaults. */
export type GatewayDocument = z.output<typeof gatewaySchema>
