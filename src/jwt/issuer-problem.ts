import { isIP } from 'node:net'
import type { IssuerConfig, KeySource, RemoteKeySource } from './issuer.ts'

const MAX_REQUIRED_CLAIMS = 16

/** A timer of Node's holds no more than 24.8 days, and ends a longer wait at once. */
export const MAX_KEY_WAIT_MS = 20 * 86_400_000

/** An issuer as far as it could be read; `keys` null: they are bad, which was said before. */
export type IssuerDraft = Omit<IssuerConfig, 'keys'> & { readonly keys: KeySource | null }

/** One reason why issuers cannot be used, in words without a key or a URL in them. */
export interface IssuerProblem {
  /** Which issuer, from 0. */
  readonly index: number
  /** What of it is wrong, as the operator writes it; empty: all of it. */
  readonly member: readonly string[]
  /** A clause that follows its path. */
  readonly found: string
  /** A noun phrase. */
  readonly expected: string
  /** Sentences. */
  readonly remedy: string
}

type Fault = Omit<IssuerProblem, 'index'>

/**
 * Everything that makes these issuers unusable, own keys apart: whoever reads those judges them. Null stands for one of
 * which nothing is known.
 */
export function findIssuerProblems(issuers: readonly (IssuerDraft | null)[]): readonly IssuerProblem[] {
  return [
    ...findTwins(issuers),
    ...issuers.flatMap((draft, index) =>
      draft === null ? [] : findOwnFaults(draft).map((fault) => ({ index, ...fault })),
    ),
  ]
}

function findTwins(issuers: readonly (IssuerDraft | null)[]): readonly IssuerProblem[] {
  const problems: IssuerProblem[] = []
  const names = new Map<string, number>()
  const claimed = new Map<string | null, number>()
  for (const [index, draft] of issuers.entries()) {
    if (draft === null) continue
    const { name, issuer } = draft
    const namesake = names.get(name)
    if (namesake !== undefined) {
      problems.push({
        index,
        member: ['name'],
        found: `is the name of identity.jwt[${namesake}] too`,
        expected: 'a name of its own',
        remedy: 'Change one of the two.',
      })
    }
    names.set(name, index)
    const twin = claimed.get(issuer)
    if (twin !== undefined) problems.push({ index, ...twinFault(issuer, twin) })
    claimed.set(issuer, index)
  }
  return problems
}

function twinFault(issuer: string | null, twin: number): Fault {
  return issuer === null
    ? {
        member: [],
        found: `has no issuer, like identity.jwt[${twin}]`,
        expected: 'at most one without, or no token could tell them apart',
        remedy: 'Set `issuer` to the `iss` of its tokens.',
      }
    : {
        member: ['issuer'],
        found: `is that of identity.jwt[${twin}] too`,
        expected: 'an issuer of its own, or no token could tell them apart',
        remedy: 'Make the two one entry, with all their algorithms.',
      }
}

function findOwnFaults({ algorithms, keys, requiredClaims }: IssuerDraft): readonly Fault[] {
  const faults: Fault[] = []
  if (requiredClaims.length > MAX_REQUIRED_CLAIMS) {
    faults.push({
      member: ['requiredClaims'],
      found: `has ${requiredClaims.length} names`,
      expected: `at most ${MAX_REQUIRED_CLAIMS}`,
      remedy: 'Remove some.',
    })
  }
  if (keys === null || !isRemote(keys)) return faults
  const secret = algorithms.find((algorithm) => algorithm.startsWith('HS'))
  if (secret !== undefined) {
    faults.push({
      member: ['algorithms'],
      found: `lists ${secret}, whose key is a secret, while these keys are published`,
      expected: 'RS, PS, ES or EdDSA',
      remedy: 'Remove it.',
    })
  }
  return [...faults, ...findRemoteFaults(keys)]
}

function isRemote(keys: KeySource): keys is RemoteKeySource {
  return keys.kind === 'jwks' || keys.kind === 'discovery'
}

function findRemoteFaults(keys: RemoteKeySource): readonly Fault[] {
  const faults: Fault[] = []
  if (keys.cooldownMs > keys.refreshMs) {
    faults.push({
      member: ['keys', 'cooldown'],
      found: 'is longer than `refresh`, which could then never be kept',
      expected: 'at most `refresh`',
      remedy: 'Shorten it.',
    })
  }
  const fault = findUrlFault(keys.url, keys.plainHosts)
  if (fault === null) return faults
  const url = {
    member: [keys.kind === 'jwks' ? 'jwks' : 'issuer'],
    found: fault,
    expected: 'an https:// URL',
    remedy:
      'Plain http is taken from this machine, and from hosts that `keys.plainHosts` lists. An `issuer` that is no ' +
      'address goes with `jwks`, `publicKey` or `secret`.',
  }
  return [...faults, url]
}

/**
 * Why keys must not be fetched from there, in words that follow its name; null if they may. Whoever stands between
 * could put keys of his own into a plain answer, so TLS, except to loopback and to hosts that are allowed by name.
 */
export function findUrlFault(text: string, plainHosts: readonly string[]): string | null {
  const url = URL.parse(text)
  if (url === null) return 'is no URL'
  if (url.username !== '' || url.password !== '')
    return 'holds a name or password, which keys are never asked with'
  if (url.hash !== '') return 'has a fragment, which no server is ever sent'
  if (url.protocol === 'https:') return null
  if (url.protocol !== 'http:') return 'is no https:// URL'
  if (isLoopback(url.hostname) || plainHosts.includes(url.hostname)) return null
  return 'is plain http, where anybody on the way could put keys of his own'
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '[::1]') return true
  return isIP(host) === 4 && host.startsWith('127.')
}
