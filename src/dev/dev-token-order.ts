import { DEV_ALGORITHMS, type DevTokenOrder } from './dev-issuer.ts'

const TTL_S = 3_600
const MAX_TTL_S = 30 * 86_400

type Members = Readonly<Record<string, unknown>>

/** Reads the body of a token request: JSON, or a form as OAuth has it. A text is what is wrong with it. */
export function readTokenOrder(type: string, body: string): DevTokenOrder | string {
  const members = type.startsWith('application/json') ? jsonMembers(body) : formMembers(body)
  if (members === null) return 'send a JSON object, or a form such as tenant=acme'
  const { tenant, sub = 'developer', scope = '', alg = 'ES256', claims = {} } = members
  const ttlS = members['ttl'] === undefined ? TTL_S : Number(members['ttl'])
  if (typeof tenant !== 'string' || tenant === '') return 'name the tenant: tenant=acme'
  if (typeof sub !== 'string' || sub === '') return 'sub must be a text'
  if (typeof scope !== 'string') return 'scope must be words with spaces between'
  const known = DEV_ALGORITHMS.find((algorithm) => algorithm === alg)
  if (known === undefined) return `alg must be ${DEV_ALGORITHMS.join(' or ')}`
  if (!(Number.isInteger(ttlS) && ttlS > 0 && ttlS <= MAX_TTL_S))
    return `ttl must be whole seconds, at most ${MAX_TTL_S}`
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    return 'claims must be an object'
  return { tenant, sub, scope, ttlS, alg: known, claims: { ...claims } }
}

function jsonMembers(body: string): Members | null {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

/** `claims` are JSON, so a form has none. */
function formMembers(body: string): Members {
  const { claims: _, ...members } = Object.fromEntries(new URLSearchParams(body))
  return members
}
