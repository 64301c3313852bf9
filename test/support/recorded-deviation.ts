import { methodOf, type RecordedCase, targetOf } from './recorded-case.ts'

/** What ours is to do with a recorded request. */
export interface Expectation {
  readonly status: number
  /** The failure's code where the gateway answers with one. */
  readonly code: string | null
  /** Of the failure; with a trailing `…` any ending will do. Null: any text. */
  readonly detail: string | null
  /** Whether the upstream sees the request. */
  readonly forwarded: boolean
  /** The X-Company-ID the upstream sees; null where none is asserted. */
  readonly tenant: string | null
}

interface Deviation {
  /** The section of the contract that overrules the recording, and why. */
  readonly why: string
  readonly applies: (recorded: RecordedCase, expected: Expectation) => boolean
  readonly change: (expected: Expectation, recorded: RecordedCase) => Partial<Expectation>
}

/** `detail` as recorded → the code ours gives it. */
const CODES: Readonly<Record<string, string>> = {
  'Not authenticated': 'token_missing',
  'Could not validate credentials': 'token_invalid',
  'Could not validate credentials: Signature has expired.': 'token_expired',
  'Not Found': 'route_unknown',
  'Method Not Allowed': 'method_not_allowed',
}

const EXPIRED = 'Could not validate credentials: Signature has expired.'
const refused = (status: number, code: string, detail: string | null = null): Partial<Expectation> => ({
  status,
  code,
  detail,
  forwarded: false,
  tenant: null,
})
const admitted = (tenant: string | null = 'acme'): Partial<Expectation> => ({
  status: 200,
  code: null,
  detail: null,
  forwarded: true,
  tenant,
})
const is =
  (...ids: string[]) =>
  ({ id }: RecordedCase): boolean =>
    ids.includes(id)

/** Every place where the contract wants something else than was recorded, applied in this order. */
export const DEVIATIONS: readonly Deviation[] = [
  {
    why: 'section 4: no text of a library reaches a response',
    applies: (_, { status, detail }) =>
      status === 401 &&
      detail !== EXPIRED &&
      (detail?.startsWith('Could not validate credentials: ') ?? false),
    change: () => refused(401, 'token_invalid', 'Could not validate credentials'),
  },
  {
    why: 'section 6: an upstream is called by its name, never by its host',
    applies: (_, { detail }) => detail?.startsWith('Upstream service at ') ?? false,
    change: ({ detail, status }, { request }) => ({
      code: status === 503 ? 'connect_failed' : 'upstream_timeout',
      detail: (detail ?? '').replace(
        /at \S+/,
        /\/(ingest|query|auth)\//.exec(request.target ?? '')?.[1] ?? '',
      ),
    }),
  },
  {
    why: 'section 6: the reason of a 502 is from a closed list, not the name of a Python class',
    applies: (_, { status, forwarded }) => status === 502 && forwarded,
    change: () => ({ code: 'upstream_invalid', detail: 'Error communicating with upstream service: …' }),
  },
  {
    why: 'section 6: claims_missing has the original text',
    applies: (_, { detail }) => detail?.startsWith('Token missing required claims: ') ?? false,
    change: () => ({ code: 'claims_missing' }),
  },
  {
    why: 'section 2: HEAD works wherever GET does on own endpoints',
    applies: (recorded, { status }) =>
      methodOf(recorded) === 'HEAD' && status === 405 && !targetOf(recorded).startsWith('/api/'),
    change: () => ({ status: 200, code: null, detail: null }),
  },
  {
    why: 'section 9: HEAD is proxied',
    applies: (recorded, { status }) => methodOf(recorded) === 'HEAD' && status === 405,
    change: (_, recorded) => admitted(targetOf(recorded).startsWith('/api/auth') ? null : 'acme'),
  },
  {
    why: 'section 9: the prefix without its slash is proxied instead of redirected',
    applies: (recorded, { status, forwarded }) =>
      status === 307 && !forwarded && targetOf(recorded).startsWith('/api/'),
    change: (_, recorded) => {
      if (targetOf(recorded).startsWith('/api/auth')) return admitted(null)
      const authorized = recorded.request.headers?.some(([name]) => name === 'Authorization')
      return authorized ? admitted() : refused(401, 'token_missing', 'Not authenticated')
    },
  },
  {
    why: 'section 6: what is not HTTP is a problem document too',
    applies: (recorded, { status, forwarded }) =>
      status === 400 && !forwarded && recorded.response.body?.text === 'Invalid HTTP request received.',
    change: () => refused(400, 'request_malformed'),
  },
  {
    why: 'section 3: any token is a well-formed method, and methods are case-sensitive',
    applies: is('own lowercase method'),
    change: () => refused(405, 'method_not_allowed', 'Method Not Allowed'),
  },
  {
    why: 'section 4: exactly one Authorization field',
    applies: ({ id }) => id.startsWith('auth two Authorization headers'),
    change: () => refused(400, 'authorization_repeated', 'More than one Authorization field.'),
  },
  {
    why: 'section 4: one or more spaces behind the scheme',
    applies: is('auth two spaces'),
    change: () => admitted(),
  },
  {
    why: 'section 4: unknown crit, non-canonical base64url, an exp that is no number',
    applies: is(
      'auth header crit',
      'auth signature with junk chars (base64 lenient)',
      'claims exp numeric string',
      'claims exp list',
    ),
    change: () => refused(401, 'token_invalid', 'Could not validate credentials'),
  },
  {
    why: 'section 4: a company_id that is no integer of 53 bits and no visible ASCII',
    applies: is(
      'company_id big int',
      'company_id float',
      'company_id float integral',
      'company_id leading/trailing space',
      'company_id NUL',
      'company_id latin1',
      'company_id list',
      'company_id object',
      'company_id DEL',
    ),
    change: () => refused(403, 'tenant_invalid', 'Missing company identifier.'),
  },
  {
    why: 'section 9: a head over 32 KiB',
    applies: is('auth token 60 KB', 'own header block 70 KB'),
    change: () => refused(431, 'head_too_large'),
  },
  {
    why: 'section 9: a target over 16 KiB',
    applies: is('query 16 KB'),
    change: () => refused(414, 'target_too_long'),
  },
  {
    why: 'section 9: routes match literally, nothing is decoded',
    applies: is('own GET /api/v1%2Fingest/x (encoded slash in prefix)'),
    change: () => refused(404, 'route_unknown', 'Not Found'),
  },
  {
    why: 'section 9: dot segments, backslash, CR and LF, decoded once',
    applies: ({ id }) => id.startsWith('path dot ') || /^path (backslash|CR)/.test(id),
    change: () => refused(400, 'path_unsafe'),
  },
  {
    why: 'section 9: a fragment is no part of a request target',
    applies: is('path with fragment'),
    change: () => ({ ...refused(400, 'request_malformed'), code: null }),
  },
  {
    why: 'section 9: obs-fold, bare LF and a second Host are refused',
    applies: is('hdr obs-fold', 'hdr bare LF line ends', 'hdr two Host headers'),
    change: () => refused(400, 'request_malformed'),
  },
  {
    why: 'section 5: Upgrade is hop by hop; a request that nobody upgrades is an ordinary one',
    applies: is('own h2c upgrade header'),
    change: () => admitted(),
  },
  {
    why: 'section 7: preflights of a known route and an allowed method are 204, from a foreign origin too',
    applies: ({ id }) => /cors preflight/.test(id) && !id.endsWith('TRACE'),
    change: () => ({ status: 204, code: null, detail: null }),
  },
  {
    why: 'section 3: the method comes before the preflight; TRACE is none of the route’s',
    applies: is('cors preflight method TRACE'),
    change: () => refused(405, 'method_not_allowed', 'Method Not Allowed'),
  },
]

export function expectationOf(recorded: RecordedCase): Expectation {
  const seen = recorded.upstream_saw[0]
  const detail = detailOf(recorded)
  let expected: Expectation = {
    status: recorded.response.status ?? 0,
    code: CODES[detail ?? ''] ?? null,
    detail,
    forwarded: seen !== undefined,
    tenant: seen?.headers.find(([name]) => name === 'X-Company-ID')?.[1] ?? null,
  }
  for (const deviation of DEVIATIONS)
    if (deviation.applies(recorded, expected))
      expected = { ...expected, ...deviation.change(expected, recorded) }
  return expected
}

function detailOf({ response }: RecordedCase): string | null {
  const text = response.body?.text ?? ''
  return text.startsWith('{"detail"') ? (JSON.parse(text) as { detail: string }).detail : null
}
