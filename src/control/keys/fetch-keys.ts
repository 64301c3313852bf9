import type { JwtAlgorithm, RemoteKeySource } from '../../jwt/issuer.ts'
import { findUrlFault } from '../../jwt/issuer-problem.ts'
import { listedKeys, type PublicJwk, readJwkSet } from '../../jwt/jwk.ts'
import { usableJwks } from '../../jwt/key-set.ts'
import { type FetchFault, type FetchJson, fetchFault } from './fetch-json.ts'

const WELL_KNOWN = '/.well-known/openid-configuration'

/** Where keys come from and which of them count. */
export interface KeyOrigin {
  readonly source: RemoteKeySource
  readonly algorithms: readonly JwtAlgorithm[]
}

export interface FetchedKeys {
  readonly ok: true
  /** At least one. */
  readonly jwks: readonly PublicJwk[]
  /** How many others the set lists, for the operator who misses one. */
  readonly leftOut: number
  readonly maxAgeMs: number | null
}

/**
 * The keys an issuer publishes now. A set without any key of use is taken for the server's mistake: the last good keys
 * serve on then, as they do for garbage.
 */
export async function fetchKeys(origin: KeyOrigin, fetchJson: FetchJson): Promise<FetchedKeys | FetchFault> {
  const url = origin.source.kind === 'jwks' ? origin.source.url : await discover(origin.source, fetchJson)
  if (typeof url !== 'string') return url
  const fetched = await fetchJson(url)
  if (!fetched.ok) return fetched
  const published = readJwkSet(fetched.value)
  if (published === null) return fetchFault('no key set')
  const jwks = usableJwks(published, origin.algorithms)
  if (jwks.length === 0) return fetchFault('no usable key')
  return { ok: true, jwks, leftOut: listedKeys(fetched.value) - jwks.length, maxAgeMs: fetched.maxAgeMs }
}

/** OpenID Connect Discovery 1.0 section 4: the path goes behind the issuer's own, one slash between. */
async function discover(source: RemoteKeySource, fetchJson: FetchJson): Promise<string | FetchFault> {
  const fetched = await fetchJson(source.url.replace(/\/$/, '') + WELL_KNOWN)
  if (!fetched.ok) return fetchFault(`discovery: ${fetched.reason}`)
  const { issuer, jwks_uri: url } = fetched.value as {
    readonly issuer?: unknown
    readonly jwks_uri?: unknown
  } // judged below
  // Section 4.3: exactly, or one issuer could publish another's keys.
  if (issuer !== source.url) return fetchFault('discovery: another issuer')
  if (typeof url !== 'string') return fetchFault('discovery: no jwks_uri')
  return isAsSafe(url, source) ? url : fetchFault('discovery: jwks_uri is not https')
}

/** An issuer behind TLS does not lead to where there is none, loopback included, unless the operator named the host. */
function isAsSafe(url: string, source: RemoteKeySource): boolean {
  if (findUrlFault(url, source.plainHosts) !== null) return false
  if (url.startsWith('https:') || source.url.startsWith('http:')) return true
  return source.plainHosts.includes(new URL(url).hostname)
}
