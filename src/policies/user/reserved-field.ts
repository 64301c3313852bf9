import { foldName } from '../../lib/fold-name.ts'
import {
  CORS_FIELDS,
  GATEWAY_REQUEST_FIELDS,
  HOP_BY_HOP,
  NEVER_NOMINATED,
  PEER_FIELDS,
  TRACE_FIELDS,
} from '../../lib/gateway-field.ts'

const CONTENT = 'content-'

/** Owning one of these would take it from every client of every route, or state it beside the gateway's own. */
const REQUEST_FIELDS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...GATEWAY_REQUEST_FIELDS,
  ...PEER_FIELDS,
  ...TRACE_FIELDS,
  ...NEVER_NOMINATED,
])

const RESPONSE_FIELDS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...CORS_FIELDS,
  'x-request-id',
  'x-process-time',
  'date',
  'via',
  'content-length',
])

/** Whether no policy of a user's may own this request field. `tenantField`: as configured. */
export function isReservedRequestField(name: string, tenantField: string): boolean {
  const folded = foldName(name)
  return folded.startsWith(CONTENT) || REQUEST_FIELDS.has(folded) || folded === foldName(tenantField)
}

/** Whether the gateway alone states this response field. `body`: who makes the body that the field goes with. */
export function isReservedResponseField(name: string, body: 'policy' | 'upstream'): boolean {
  const folded = foldName(name)
  return RESPONSE_FIELDS.has(folded) || (body === 'upstream' && folded.startsWith(CONTENT))
}
