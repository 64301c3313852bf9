import { isIP } from 'node:net'
import type { JwtAlgorithm } from '../config/config.ts'
import type { IssuerConfig, KeySource, RemoteKeySource } from './issuer.ts'
import { loadVerificationKey } from './key.ts'

const MAX_REQUIRED_CLAIMS = 16

/** A timer of Node's holds no more than 24.8 days, and ends a longer wait at once. */
const MAX_WAIT_MS = 20 * 86_400_000

/** RFC 7518 section 3.2: a key of at least the hash's size. Bytes. */
const LEAST_SECRET_BYTES: Readonly<Partial<Record<JwtAlgorithm, number>>> = {
  HS256: 32,
  HS384: 48,
  HS512: 64,
}

/** Everything that makes these issuers unusable, a line each, by the path of the key that is wrong; never with a key in it. */
export function findIssuerProblems(issuers: readonly IssuerConfig[]): readonly string[] {
  return [
    ...findTwins(issuers),
    ...issuers.flatMap((config, index) => findOwnProblems(config, `identity.jwt[${index}]`)),
  ]
}

function findTwins(issuers: readonly IssuerConfig[]): readonly string[] {
  const problems: string[] = []
  const names = new Map<string, number>()
  const claimed = new Map<string | null, number>()
  for (const [index, { name, issuer }] of issuers.entries()) {
    const path = `identity.jwt[${index}]`
    const namesake = names.get(name)
    if (namesake !== undefined)
      problems.push(`${path}.name is that of identity.jwt[${namesake}] too: give each issuer its own name.`)
    names.set(name, index)
    const twin = claimed.get(issuer)
    if (twin !== undefined) {
      problems.push(
        issuer === null
          ? `${path} and identity.jwt[${twin}] both have no issuer, so that no token could tell them apart: set issuer on one of them.`
          : `${path}.issuer is that of identity.jwt[${twin}] too, so that no token could tell them apart: make it one entry with all its algorithms.`,
      )
    }
    claimed.set(issuer, index)
  }
  return problems
}

function findOwnProblems(config: IssuerConfig, path: string): readonly string[] {
  const { algorithms, keys, requiredClaims } = config
  const problems: string[] = []
  if (algorithms.length === 0)
    problems.push(`${path}.algorithms is empty: list the algorithms this issuer signs with, such as RS256.`)
  if (requiredClaims.length > MAX_REQUIRED_CLAIMS)
    problems.push(
      `${path}.requiredClaims has ${requiredClaims.length} names: at most ${MAX_REQUIRED_CLAIMS}.`,
    )
  if (isRemote(keys)) return [...problems, ...findRemoteProblems(config, keys, path)]
  for (const algorithm of algorithms) {
    const problem = findKeyProblem(algorithm, keys)
    if (problem !== null) problems.push(`${path} cannot be used: ${problem}.`)
  }
  return problems
}

function isRemote(keys: KeySource): keys is RemoteKeySource {
  return keys.kind === 'jwks' || keys.kind === 'discovery'
}

function findKeyProblem(algorithm: JwtAlgorithm, keys: Exclude<KeySource, RemoteKeySource>): string | null {
  const text = keys.kind === 'secret' ? keys.secret : keys.pem
  try {
    loadVerificationKey(algorithm, text)
  } catch (error) {
    return error instanceof Error ? error.message : 'its key cannot be read'
  }
  const least = LEAST_SECRET_BYTES[algorithm] ?? 0
  return Buffer.byteLength(text) < least
    ? `${algorithm} needs a secret of ${least} bytes or more (RFC 7518 section 3.2), for instance from \`openssl rand -base64 ${least}\``
    : null
}

function findRemoteProblems(config: IssuerConfig, keys: RemoteKeySource, path: string): readonly string[] {
  const problems: string[] = []
  const secret = config.algorithms.find((algorithm) => algorithm.startsWith('HS'))
  if (secret !== undefined)
    problems.push(
      `${path}.algorithms lists ${secret}, whose key is a secret, but these keys are published: list RS, PS, ES or EdDSA.`,
    )
  if (keys.kind === 'discovery' && config.issuer === null)
    problems.push(`${path} finds its keys by discovery, which needs issuer: set it, or name a jwks URL.`)
  if (keys.cooldownMs > keys.refreshMs)
    problems.push(`${path}.keys.cooldown is longer than refresh, which could then never be kept: shorten it.`)
  for (const [name, ms] of [
    ['maxStale', keys.maxStaleMs],
    ['refresh', keys.refreshMs],
  ] as const) {
    if (ms > MAX_WAIT_MS) problems.push(`${path}.keys.${name} is longer than 20 days: shorten it.`)
  }
  const place = keys.kind === 'jwks' ? `${path}.jwks` : `${path}.issuer`
  const fault = findUrlFault(keys.url, keys.plainHosts)
  return fault === null ? problems : [...problems, `${place} ${fault}.`]
}

/**
 * Why keys must not be fetched from there, in words that follow its name; null if they may. Whoever stands between
 * could put keys of his own into a plain answer, so TLS, except to loopback and to hosts that are allowed by name.
 */
export function findUrlFault(text: string, plainHosts: readonly string[]): string | null {
  const url = URL.parse(text)
  if (url === null) return 'is no URL: write it whole, beginning with https://'
  if (url.username !== '' || url.password !== '')
    return 'holds a name or password, which keys are never asked with'
  if (url.hash !== '') return 'has a fragment, which no server is ever sent'
  if (url.protocol === 'https:') return null
  if (url.protocol !== 'http:') return `is ${url.protocol} and not https:`
  if (isLoopback(url.hostname) || plainHosts.includes(url.hostname)) return null
  return `is plain http, where anybody on the way could put keys of his own: use https, or allow ${url.hostname} by name`
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '[::1]') return true
  return isIP(host) === 4 && host.startsWith('127.')
}
