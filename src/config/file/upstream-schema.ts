import { z } from 'zod'
import { MOST_PLACES } from '../../limits/place-count.ts'
import { choice, type Format, fit, wholeNumber } from '../format.ts'
import { upstreamUrl } from '../url-format.ts'
import {
  choiceLeaf,
  durationLeaf,
  durationOrOff,
  flagLeaf,
  keyText,
  leaf,
  pemText,
  type Reference,
  section,
  shareLeaf,
  text,
  wholeLeaf,
} from './leaf.ts'
import { hashKey, retryCondition } from './list-format.ts'
import { fieldName, hostName, literalPath } from './match-format.ts'

const HASH_KEYS = ['tenant', 'subject', 'ip', 'path'] as const
const BALANCES = ['least-loaded', 'round-robin'] as const
const HOST_HEADERS = ['upstream', 'keep'] as const

/** Each holds a request and its connection: more is no queue but a leak. */
const MOST_WAITING = 100_000

const most = wholeNumber(1, 1_000_000)

const wholeOrAuto: Format<number | 'auto'> = {
  accepts: `${most.accepts}, or auto`,
  parse: (text) => (text === 'auto' ? fit(text) : most.parse(text)),
}

const off = leaf<'off' | Reference, 'off'>(
  { ...choice(['off']), accepts: 'off, or an object' },
  { json: { const: 'off' } },
)

const endpoint = text<`http://${string}` | `https://${string}` | Reference>(upstreamUrl)

const balance = z.union([
  choiceLeaf(choice(BALANCES), BALANCES),
  section({
    hash: section({
      on: z
        .union([
          leaf<
            (typeof HASH_KEYS)[number] | `header:${string}` | Reference,
            (typeof HASH_KEYS)[number] | { readonly header: string }
          >(hashKey),
          section({ header: text(fieldName).meta({ description: 'Name of the request field.' }) }),
        ])
        .meta({
          accepts: 'tenant, subject, ip, path, or header:<name>',
          description: 'What is hashed; an exchange without it is balanced as `least-loaded`.',
        }),
    }).meta({ description: 'The same endpoint for the same value, as long as endpoints stay the same.' }),
  }),
])

const breaker = section({
  failures: shareLeaf.prefault('50%').meta({ description: 'The share of failures that opens it.' }),
  window: durationLeaf(100).prefault('10s').meta({ description: 'The time failures are counted over.' }),
  minimum: wholeLeaf(1, 1_000_000).prefault(20).meta({
    description: 'Fewer exchanges than this in a window say nothing.',
  }),
  open: durationLeaf(1)
    .prefault('5s')
    .meta({ description: 'How long it stays open before one exchange probes.' }),
})

const health = section({
  path: text(literalPath).meta({
    description: 'Asked with GET, the base path of the endpoint before it; 200 to 399 is healthy.',
  }),
  interval: durationLeaf(100).prefault('5s').meta({ description: 'From one probe to the next.' }),
  timeout: durationLeaf(1).prefault('1s').meta({ description: 'A probe that takes longer has failed.' }),
  down: wholeLeaf(1, 1_000).prefault(3).meta({
    description: 'Failures in a row that take an endpoint out of service.',
  }),
  up: wholeLeaf(1, 1_000).prefault(2).meta({ description: 'Successes in a row that bring it back.' }),
})

const tls = section({
  ca: pemText.optional().meta({
    unset: "the system's",
    description: "PEM certificates to trust instead of the system's, or the path of a file of them.",
  }),
  certificate: pemText.optional().meta({
    unset: 'none',
    description: 'PEM certificate that the gateway shows, or its path. Needs `key`.',
  }),
  key: keyText.optional().meta({
    unset: 'none',
    description: 'Its PEM key, or the path of it. Needs `certificate`.',
  }),
  serverName: text(hostName).optional().meta({
    unset: "the endpoint's host",
    description: 'Name to ask for and to verify.',
  }),
})

export const upstreamSchema = section({
  endpoints: z.union([endpoint, z.array(endpoint)]).meta({
    accepts: 'an http:// or https:// URL, or a list of them',
    description:
      'Where it can be reached, with a base path if wanted. All have the same scheme and base path. A name with ' +
      'several addresses is several endpoints, resolved again every 30 s.',
  }),
  balance: balance.prefault('least-loaded').meta({
    accepts: 'least-loaded, round-robin, or hash: {on: …}',
    description:
      'Which endpoint is taken. `least-loaded`: of two drawn at random the one with fewer exchanges.',
  }),
  connections: section({
    max: wholeLeaf(1, 1_000_000).prefault(100).meta({ description: 'Open connections, whole process.' }),
    idle: wholeLeaf(0, 1_000_000).optional().meta({
      unset: '`20`, or `max` where that is less',
      description: 'How many are kept once idle for a second, whole process. At most `max`.',
    }),
    idleTimeout: durationLeaf(1)
      .prefault('4s')
      .meta({
        description:
          'Longest an idle one is kept: less than the upstream keeps it. One second less than its ' +
          '`Keep-Alive: timeout`, where it says one.',
      }),
  })
    .prefault({})
    .meta({ description: 'The connection pool.' }),
  timeouts: section({
    connect: durationLeaf(1).prefault('10s').meta({ description: 'For a connection to open, TLS included.' }),
    head: durationLeaf(1).prefault('60s').meta({
      description: "From the request's last byte to the response head; 504 after that.",
    }),
    idle: durationLeaf(1).prefault('60s').meta({
      description: "Longest pause without progress, before the request's last byte and within bodies.",
    }),
    total: durationOrOff(1)
      .prefault('off')
      .meta({ description: 'The whole exchange, tunnels and event streams excepted.' }),
  })
    .prefault({})
    .meta({ description: 'What the upstream is waited for. A route may have its own.' }),
  retry: section({
    attempts: wholeLeaf(0, 10).prefault(1).meta({ description: 'Tries after the first; 0: none.' }),
    budget: shareLeaf.prefault('20%').meta({
      description: 'Retries of the last 10 s never exceed this share of first tries, or 3. Whole process.',
    }),
    on: z
      .array(
        leaf<'connect' | 'reset' | number | Reference, 'connect' | 'reset' | number>(retryCondition, {
          takes: 'quantity',
          json: { anyOf: [{ enum: ['connect', 'reset'] }, { type: 'integer', minimum: 500, maximum: 599 }] },
        }),
      )
      .prefault(['connect'])
      .meta({
        description:
          '`connect`: nothing was sent. `reset`: the connection ended before a response. Numbers: its status. ' +
          'Only what is safe to repeat is: idempotent methods once a byte was sent, never after a byte of the response.',
      }),
  })
    .prefault({})
    .meta({ description: 'Trying again, on another endpoint where there is one.' }),
  breaker: z.union([off, breaker]).prefault('off').meta({
    accepts: 'off, or an object',
    description:
      'Takes an endpoint out of service for what it answers. One per endpoint, for the whole process.',
  }),
  health: z
    .union([off, health])
    .prefault('off')
    .meta({ accepts: 'off, or an object', description: 'Probes every endpoint, used or not.' }),
  slowStart: durationLeaf(0).prefault('0s').meta({
    description: 'How long an endpoint that came back takes to get its whole share. 0s: at once.',
  }),
  tls: tls.optional().meta({ unset: 'the defaults below', description: 'Of https endpoints.' }),
  hostHeader: choiceLeaf(choice(HOST_HEADERS), HOST_HEADERS).prefault('upstream').meta({
    description: "What Host says: the endpoint's own authority, or (`keep`) what the client sent.",
  }),
  admission: section({
    concurrency: leaf<number | 'auto' | Reference, number | 'auto'>(wholeOrAuto, {
      takes: 'quantity',
      json: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'auto' }] },
    }).meta({ description: 'Exchanges at once, whole process; `auto` follows latency.' }),
    queue: wholeLeaf(0, MOST_WAITING).prefault(50).meta({
      description: 'How many may wait, per tenant; of all tenants together ten times as many.',
    }),
    timeout: durationLeaf(1).prefault('1s').meta({ description: 'How long one waits before 503.' }),
  })
    .optional()
    .meta({
      unset: 'no limit',
      description: 'Where tenants meet: who waits when it is busy.',
    }),
  streams: section({
    max: wholeLeaf(1, MOST_PLACES).prefault(1_000).meta({ description: 'Of all tenants, whole process.' }),
    perTenant: wholeLeaf(1, MOST_PLACES).prefault(100).meta({ description: 'Of one tenant.' }),
    endAtExpiry: flagLeaf.prefault('on').meta({
      description: 'Ends a stream when its credential expires. One whose credential is revoked ends anyway.',
    }),
  })
    .optional()
    .meta({
      unset: 'no limit',
      description: 'WebSockets, event streams and responses open for 10 s, counted apart.',
    }),
})

export type UpstreamDocument = z.output<typeof upstreamSchema>
