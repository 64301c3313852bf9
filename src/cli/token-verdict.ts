import { jsonFetcher } from '../control/keys/fetch-json.ts'
import { fetchKeys } from '../control/keys/fetch-keys.ts'
import { startTimer } from '../control/start-timer.ts'
import { claimedIssuer, judgeClaims } from '../jwt/claims.ts'
import type { IssuerConfig } from '../jwt/issuer.ts'
import { parseJsonObject } from '../jwt/json-object.ts'
import type { Jws } from '../jwt/jws.ts'
import { compileIssuer, type LiveIssuer } from '../jwt/live-issuer.ts'
import type { TokenFailure } from '../jwt/token-failure.ts'
import { verifiedPayload } from '../jwt/verified-payload.ts'
import { span } from './time-text.ts'

/** What the gateway would make of a token. */
export interface TokenVerdict {
  /** Null: it cannot be told. */
  readonly believed: boolean | null
  /** Whose token it is taken for. */
  readonly issuer: string | null
  readonly reason: string
}

/**
 * Judges a token as a data thread does, and says at which step it fails: the issuer, the algorithm, the key, the
 * signature, the claims. Keys of remote issuers are fetched from where the configuration says.
 */
export async function judgeToken(
  jws: Jws,
  issuers: readonly IssuerConfig[],
  nowS: number,
): Promise<TokenVerdict> {
  const config = issuerOf(jws, issuers)
  if (config === null) {
    const claimed = claimedIssuer(jws.payload)
    const known = issuers.map(({ issuer, name }) => issuer ?? name).join(', ')
    return refused(
      null,
      `no issuer takes ${claimed === null ? 'tokens without iss' : `iss ${JSON.stringify(claimed)}`}; there ${known === '' ? 'are none' : `is ${known}`}`,
    )
  }
  const live = compileIssuer(config)
  const fault = await loadKeys(live, config)
  if (fault !== null)
    return { believed: null, issuer: config.name, reason: `its keys cannot be fetched: ${fault}` }
  return judgeBy(live, config, jws, nowS)
}

function issuerOf(jws: Jws, issuers: readonly IssuerConfig[]): IssuerConfig | null {
  const claimed = claimedIssuer(jws.payload)
  const named = claimed === null ? undefined : issuers.find(({ issuer }) => issuer === claimed)
  return named ?? issuers.find(({ issuer }) => issuer === null) ?? null
}

/** Null: they are there. */
async function loadKeys(live: LiveIssuer, { keys, algorithms }: IssuerConfig): Promise<string | null> {
  if (keys.kind !== 'jwks' && keys.kind !== 'discovery') return null
  const fetched = await fetchKeys({ source: keys, algorithms }, jsonFetcher(startTimer))
  if (!fetched.ok) return fetched.reason
  live.publish(fetched.jwks)
  return null
}

async function judgeBy(
  live: LiveIssuer,
  config: IssuerConfig,
  jws: Jws,
  nowS: number,
): Promise<TokenVerdict> {
  const { name, algorithms } = config
  const { alg, kid, crit } = jws.header
  if (crit !== undefined)
    return refused(name, 'its header has crit: extensions that the gateway does not know')
  if (!live.accepts(alg))
    return refused(name, `it is signed with ${JSON.stringify(alg)}; listed are ${algorithms.join(', ')}`)
  const key = live.pickKey(alg, kid)
  if (key === null) {
    return refused(
      name,
      kid === undefined
        ? `it has no kid, and there is not exactly one key for ${alg}`
        : `there is no key ${JSON.stringify(kid)} for ${alg}`,
    )
  }
  const payload = await verifiedPayload(key.key, jws)
  if (payload === null)
    return refused(name, 'its signature does not hold: another key signed it, or it was changed')
  const judged = judgeClaims(payload, live.rules, nowS)
  if (!judged.ok) return refused(name, reasonOf(judged, payload, config, nowS))
  const { tenant, subject, expiresAtS } = judged.identity
  return {
    believed: true,
    issuer: name,
    reason: `subject ${subject} of tenant ${tenant}, for ${Number.isFinite(expiresAtS) ? span(expiresAtS - nowS) : 'ever'}`,
  }
}

function reasonOf(
  { code, detail }: TokenFailure,
  payload: Buffer,
  config: IssuerConfig,
  nowS: number,
): string {
  switch (code) {
    case 'token_expired':
      return `it has expired${withSkew(config)}`
    case 'token_not_yet_valid':
      return `it is not good yet${withSkew(config)}`
    case 'claims_missing':
      return detail ?? 'claims are missing'
    case 'tenant_invalid':
      return `${config.claims.tenant} is no tenant: a text in visible ASCII or a whole number is expected`
    case 'token_invalid':
      return invalidReason(parseJsonObject(payload) as Readonly<Record<string, unknown>>, config, nowS) // judged before
  }
}

/** Behind one code the gateway says no more to clients; the order is that of jwt/claims.ts. */
function invalidReason(
  claims: Readonly<Record<string, unknown>>,
  config: IssuerConfig,
  nowS: number,
): string {
  const { issuer, audience, claims: names, maxLifetimeS, clockSkewS } = config
  for (const name of ['exp', 'nbf']) {
    if (claims[name] !== undefined && !Number.isFinite(claims[name])) return `${name} is no number`
  }
  const subject = claims[names.subject]
  if (subject !== undefined && (typeof subject !== 'string' || subject === ''))
    return `${names.subject} is no text`
  if (issuer !== null && claims['iss'] !== issuer) return 'iss is another one'
  if (audience.length > 0 && !meets(claims['aud'], audience))
    return `aud ${JSON.stringify(claims['aud'])} holds none of ${audience.join(', ')}`
  if (typeof claims['iat'] !== 'number') return 'iat is missing, which a longest lifetime is counted from'
  if (claims['iat'] > nowS + clockSkewS) return 'iat is in the future'
  return `it lives longer than ${span(maxLifetimeS ?? 0)} from iat to exp`
}

function meets(claimed: unknown, audience: readonly string[]): boolean {
  return [claimed].flat().some((member) => typeof member === 'string' && audience.includes(member))
}

function withSkew({ clockSkewS }: IssuerConfig): string {
  return clockSkewS === 0 ? '' : `, the leeway of ${span(clockSkewS)} included`
}

function refused(issuer: string | null, reason: string): TokenVerdict {
  return { believed: false, issuer, reason }
}
