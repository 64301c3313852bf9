import { z } from 'zod'
import type { CredentialSource } from '../../identity/credential-source.ts'
import { choice, line } from '../format.ts'
import {
  choiceLeaf,
  claimValueLeaf,
  durationLeaf,
  durationOrOff,
  leaf,
  type Reference,
  rateLeaf,
  section,
  sizeOrOff,
  text,
  wholeLeaf,
} from './leaf.ts'
import { credentialPlace, redirectStatus, scope } from './list-format.ts'
import {
  fieldName,
  fieldValue,
  hostName,
  hostPattern,
  itemName,
  literalPath,
  literalPrefix,
  method,
  pathPattern,
} from './match-format.ts'

const AUTHS = ['required', 'optional', 'none'] as const
const SCHEMES = ['http', 'https'] as const
const SUBJECTS = ['tenant', 'subject', 'ip', 'route'] as const
const STORE_RULES = ['local', 'open', 'closed'] as const
const SHADOWED = ['limit', 'require', 'admission', 'policies'] as const

const match = section({
  hosts: z.array(text(hostPattern)).optional().meta({
    unset: 'any host',
    description: 'Without their port. Exact, or `*.example.com` for any name below it.',
  }),
  path: text(pathPattern)
    .prefault('/*')
    .meta({
      description:
        'Literal segments, `:name` for one segment, `/*` at the end for it and everything below: `/a/*` takes `/a` too. ' +
        'Compared as received: letters are case-sensitive, nothing is decoded.',
    }),
  methods: z
    .array(text(method))
    .optional()
    .meta({ unset: '`[GET, HEAD, POST, PUT, DELETE, PATCH]`', description: 'Others get 405.' }),
  headers: z
    .record(z.string(), text(fieldValue))
    .prefault({})
    .meta({ description: 'Fields that must all be there, with exactly these values.' }),
  query: z
    .record(z.string(), leaf<string, string>(line, { empty: 'taken' }))
    .prefault({})
    .meta({
      description: 'Parameters that must all be there: the first of each name, as written, nothing decoded.',
    }),
})

const redirect = section({
  status: leaf<301 | 302 | 303 | 307 | 308 | Reference, number>(redirectStatus, {
    takes: 'quantity',
    json: { enum: [301, 302, 303, 307, 308] },
  })
    .prefault(302)
    .meta({ description: '307 and 308 keep the method.' }),
  scheme: choiceLeaf(choice(SCHEMES), SCHEMES)
    .optional()
    .meta({ unset: 'as received', description: 'Scheme of the target.' }),
  host: text(hostName).optional().meta({ unset: 'as received', description: 'Host of the target.' }),
  port: wholeLeaf(1, 65_535).optional().meta({
    unset: 'as received, or the one of `scheme` where that is given',
    description: 'Port of the target.',
  }),
  path: text(literalPath).optional().meta({
    unset: 'as received, after `rewrite`',
    description: 'Whole path of the target. The query stays.',
  }),
})

const changes = section({
  set: z
    .record(z.string(), text(fieldValue))
    .prefault({})
    .meta({ description: 'Instead of every field of that name.' }),
  add: z
    .record(z.string(), text(fieldValue))
    .prefault({})
    .meta({ description: 'Beside fields of that name.' }),
  remove: z.array(text(fieldName)).prefault([]).meta({ description: 'Every field of these names.' }),
})

const target = z.union([text(itemName), z.record(z.string(), wholeLeaf(0, 1_000_000))])

export const routeSchema = section({
  name: text(itemName).meta({ description: 'In logs and metrics; no two routes share one.' }),
  match: match.prefault({}).meta({ description: 'Which requests it takes: all of these hold.' }),
  upstream: target.optional().meta({
    accepts: 'the name of an upstream, or weights such as {a: 90, b: 10}',
    unset: 'none: `redirect` instead',
    description: 'Where they go. Weights are drawn by for each exchange; 0 gets nothing.',
  }),
  redirect: redirect.optional().meta({
    unset: 'none: `upstream` instead',
    description: 'Answer with another place to go instead of forwarding.',
  }),
  auth: choiceLeaf(choice(AUTHS), AUTHS).optional().meta({
    unset: '`required` where any identity is configured; `none` for a redirect',
    description: '`optional` believes a valid credential, refuses a bad one, admits none.',
  }),
  rewrite: section({
    stripPrefix: text(literalPrefix).optional().meta({
      unset: 'none',
      description: 'Taken from the beginning of the received path, by whole segments.',
    }),
    addPrefix: text(literalPrefix)
      .optional()
      .meta({ unset: 'none', description: 'Put before what is left.' }),
  })
    .optional()
    .meta({
      unset: 'the path goes as it came',
      description: 'Nothing is decoded, the query is not touched.',
    }),
  headers: section({
    request: changes.prefault({}).meta({ description: 'Towards the upstream.' }),
    response: changes.prefault({}).meta({ description: 'Towards the client.' }),
  })
    .prefault({})
    .meta({ description: 'Static changes of fields. Those the gateway owns are not to be had.' }),
  timeouts: section({
    head: durationLeaf(1)
      .optional()
      .meta({ unset: "the upstream's", description: "From the request's last byte to the response head." }),
    idle: durationLeaf(1)
      .optional()
      .meta({ unset: "the upstream's", description: 'Longest pause without progress.' }),
    total: durationOrOff(1).optional().meta({ unset: "the upstream's", description: 'The whole exchange.' }),
  })
    .prefault({})
    .meta({ description: "Instead of the upstream's." }),
  body: section({
    max: sizeOrOff.prefault('off').meta({ description: 'Larger request bodies are refused with 413.' }),
  })
    .prefault({})
    .meta({ description: 'Limits of the request body.' }),
  policies: z
    .array(
      section({
        use: text(line).meta({ description: 'Module of the policy, from the folder of this file.' }),
        with: z.unknown().optional().meta({
          accepts: 'plain data',
          unset: 'nothing',
          description: "Judged by the policy's own schema.",
        }),
      }),
    )
    .prefault([])
    .meta({ description: "The operator's own policies, asked in this order after identity." }),
  require: section({
    scopes: z.array(text(scope)).prefault([]).meta({ description: 'All of them.' }),
    claims: z
      .record(z.string(), z.union([claimValueLeaf, z.array(claimValueLeaf)]))
      .prefault({})
      .meta({
        accepts: 'names of claims, each with a value or a list of them',
        description: 'Any listed value of each claim.',
      }),
  })
    .optional()
    .meta({
      unset: 'nothing',
      description: 'What a caller must have; 403 that names what is missing otherwise.',
    }),
  credentials: z
    .array(
      leaf<'header' | 'subprotocol' | `cookie:${string}` | `query:${string}` | Reference, CredentialSource>(
        credentialPlace,
      ),
    )
    .prefault(['header'])
    .meta({
      description:
        'Where a credential may be found, for browsers that cannot set a field on a WebSocket or EventSource. From cookie, ' +
        'query and subprotocol (an entry `nyro.bearer.<token>`) it is removed before forwarding.',
    }),
  limit: section({
    per: choiceLeaf(choice(SUBJECTS), SUBJECTS).optional().meta({
      unset: '`tenant`; `ip` where `auth` is `none`',
      description:
        'Whose requests are counted; IPv6 addresses by /64. Who has no identity counts by address.',
    }),
    rate: rateLeaf.meta({ description: 'Refilled continuously (GCRA).' }),
    burst: wholeLeaf(1, 1_000_000_000).optional().meta({
      unset: 'what `rate` allows in a second, rounded up',
      description: 'Requests at once after a rest.',
    }),
    onStoreError: choiceLeaf(choice(STORE_RULES), STORE_RULES).prefault('local').meta({
      description: "When Redis fails or exceeds 25 ms: this process's buckets, all, or none.",
    }),
  })
    .optional()
    .meta({
      unset: 'none',
      description: 'On top of the plan; 429 with Retry-After otherwise.',
    }),
  shadow: z
    .array(choiceLeaf(choice(SHADOWED), SHADOWED))
    .prefault([])
    .meta({
      description:
        'What decides, is counted and logged, but refuses and states nothing: `limit` (of the plan and of the route), ' +
        '`require`, `admission`, `policies`. Identity cannot: everything else counts on who calls.',
    }),
})

export type RouteDocument = z.output<typeof routeSchema>
