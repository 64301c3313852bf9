/** Who is to blame; decides the level of the log line. */
export type FailureSide = 'client' | 'gateway' | 'upstream'

/**
 * Whether another try could be safe, known where the failure is born: `always`, nothing was sent; `idempotent`,
 * the request may have been acted on, so only methods that may be repeated (RFC 9110 section 9.2.2); `never`.
 */
export type Replay = 'always' | 'idempotent' | 'never'

interface Row {
  readonly status: number
  readonly title: string
  /** What `detail` says when the failure brings no text of its own. */
  readonly detail: string
  readonly side: FailureSide
  readonly replay: Replay
}

function row(
  status: number,
  title: string,
  detail: string,
  side: FailureSide,
  replay: Replay = 'never',
): Row {
  return { status, title, detail, side, replay }
}

/** The closed table of expected endings; the only place a failure meets a status. docs/failures.md is generated from it. */
export const FAILURES = {
  request_malformed: row(400, 'Malformed request', 'The request is not well-formed HTTP/1.1.', 'client'),
  path_unsafe: row(400, 'Unsafe path', 'The path contains a dot segment or a forbidden character.', 'client'),
  authorization_repeated: row(400, 'Repeated Authorization', 'More than one Authorization field.', 'client'),
  token_missing: row(401, 'Not authenticated', 'Not authenticated', 'client'),
  token_invalid: row(401, 'Invalid token', 'Could not validate credentials', 'client'),
  token_expired: row(
    401,
    'Expired token',
    'Could not validate credentials: Signature has expired.',
    'client',
  ),
  token_not_yet_valid: row(
    401,
    'Token not yet valid',
    'Could not validate credentials: The token is not yet valid.',
    'client',
  ),
  claims_missing: row(401, 'Missing claims', 'Token missing required claims', 'client'),
  token_revoked: row(
    401,
    'Revoked credential',
    'Could not validate credentials: The credential has been revoked.',
    'client',
  ),
  key_invalid: row(401, 'Invalid API key', 'Could not validate credentials', 'client'),
  tenant_invalid: row(403, 'Invalid tenant', 'Missing company identifier.', 'client'),
  policy_refused: row(403, 'Refused by policy', 'Refused by policy.', 'client'),
  scope_missing: row(
    403,
    'Missing scope',
    'The credential lacks a scope that this route requires.',
    'client',
  ),
  claim_mismatch: row(
    403,
    'Claim mismatch',
    'The credential lacks a claim value that this route requires.',
    'client',
  ),
  origin_refused: row(
    403,
    'Origin refused',
    'Pages of this origin may not use a credential from a cookie.',
    'client',
  ),
  route_unknown: row(404, 'Not Found', 'Not Found', 'client'),
  method_not_allowed: row(405, 'Method Not Allowed', 'Method Not Allowed', 'client'),
  request_timeout: row(408, 'Request timeout', 'The request arrived too slowly.', 'client'),
  body_too_large: row(413, 'Body too large', 'The request body is larger than this route takes.', 'client'),
  target_too_long: row(414, 'Target too long', 'The request target is longer than 16 KiB.', 'client'),
  expectation_failed: row(417, 'Expectation failed', 'The only expectation met is 100-continue.', 'client'),
  rate_limited: row(429, 'Too many requests', 'Too many requests in too short a time.', 'client'),
  quota_exceeded: row(429, 'Quota exceeded', 'All requests of this period are used.', 'client'),
  head_too_large: row(431, 'Head too large', 'The request head is larger than 32 KiB.', 'client'),
  internal: row(500, 'Internal error', 'An internal gateway error occurred.', 'gateway'),
  transfer_coding_unknown: row(
    501,
    'Unknown transfer coding',
    'The only transfer coding understood is chunked.',
    'client',
  ),
  upstream_invalid: row(
    502,
    'Bad gateway',
    'Error communicating with upstream service',
    'upstream',
    'idempotent',
  ),
  connect_failed: row(503, 'Upstream unreachable', 'Upstream service is unavailable.', 'upstream', 'always'),
  upstream_saturated: row(
    503,
    'Upstream at capacity',
    'Upstream service is at capacity.',
    'gateway',
    'always',
  ),
  upstream_unavailable: row(
    503,
    'Upstream out of service',
    'Upstream service is out of service.',
    'upstream',
    'always',
  ),
  policy_unavailable: row(
    503,
    'Policy cannot decide',
    'A policy of this route cannot decide now.',
    'gateway',
    'always',
  ),
  limits_unavailable: row(503, 'Limits unavailable', 'Request limits cannot be checked now.', 'gateway'),
  draining: row(503, 'Draining', 'Gateway service is temporarily unavailable (client error).', 'gateway'),
  upstream_timeout: row(504, 'Upstream timeout', 'Upstream service timed out.', 'upstream', 'never'),
  version_unsupported: row(
    505,
    'Version not supported',
    'Only HTTP/1.1 and HTTP/1.0 are spoken here.',
    'client',
  ),
} as const satisfies Record<string, Row>

export type FailureCode = keyof typeof FAILURES

/** An expected ending: a value, never thrown; carries no credential and no host name. */
export interface Failure {
  readonly kind: 'failure'
  readonly code: FailureCode
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly side: FailureSide
  readonly replay: Replay
  /** Complete field lines of its own (WWW-Authenticate, Allow, Retry-After), each ending in CRLF. */
  readonly fields: string
}

export function failure(
  code: FailureCode,
  own: { readonly detail?: string; readonly fields?: string; readonly replay?: Replay } = {},
): Failure {
  const row = FAILURES[code]
  return Object.freeze({
    kind: 'failure',
    code,
    status: row.status,
    title: row.title,
    detail: own.detail ?? row.detail,
    side: row.side,
    replay: own.replay ?? row.replay,
    fields: own.fields ?? '',
  })
}
