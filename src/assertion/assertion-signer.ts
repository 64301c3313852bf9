import { sign } from 'node:crypto'
import type { Identity } from '../proxy/exchange.ts'
import type { CompiledSigningKey } from './signing-key.ts'

export interface AssertionSignerOptions {
  /** The one that is in force now. */
  readonly key: () => CompiledSigningKey
  /** What `iss` says. */
  readonly issuer: string
  /** What `aud` says; null: nothing. */
  readonly audience: string | null
  /** How long an assertion is good for, seconds; never longer than the credential behind it. */
  readonly ttlS: number
  /** Seconds since the epoch, by the wall clock. */
  readonly nowS: () => number
  /** Of how many identities it is kept. Default 10,000: 5.4 MiB (bench/micro/assertion.ts). */
  readonly maxEntries?: number
}

interface Entry {
  readonly value: string
  readonly issuedAtS: number
  /** From then on another one is signed, so that upstreams always get one that is good for a while. */
  readonly renewAtS: number
}

const MAX_ENTRIES = 10_000

/**
 * States who calls as a compact JWS (RFC 7515) that is good for a short while. Signing takes 30 µs and happens
 * once in half a lifetime for each identity; in between it is a look-up of 17 ns, by the identity that the token cache
 * holds (bench/micro/assertion.ts).
 */
export class AssertionSigner {
  readonly #options: AssertionSignerOptions
  readonly #maxEntries: number
  readonly #entries = new Map<Identity, Entry>()

  constructor(options: AssertionSignerOptions) {
    this.#options = options
    this.#maxEntries = options.maxEntries ?? MAX_ENTRIES
  }

  assertionOf(identity: Identity): string {
    const nowS = this.#options.nowS()
    const entry = this.#entries.get(identity)
    // A clock that was set back would state what is issued in the future.
    if (entry !== undefined && nowS < entry.renewAtS && nowS >= entry.issuedAtS) return entry.value
    return this.#renew(identity, Math.floor(nowS))
  }

  #renew(identity: Identity, issuedAtS: number): string {
    const { key, ttlS } = this.#options
    const { prefix, privateKey } = key()
    const input = prefix + Buffer.from(this.#claims(identity, issuedAtS)).toString('base64url')
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    const value = `${input}.${signature.toString('base64url')}`
    // At its end again: the first are those that nobody asked about for longest.
    this.#entries.delete(identity)
    if (this.#entries.size >= this.#maxEntries) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    this.#entries.set(identity, { value, issuedAtS, renewAtS: issuedAtS + ttlS / 2 })
    return value
  }

  #claims({ subject, tenant, expiresAtS, issuer: source }: Identity, issuedAtS: number): string {
    const { issuer, audience, ttlS } = this.#options
    return JSON.stringify({
      iss: issuer,
      ...(audience === null ? {} : { aud: audience }),
      sub: subject,
      tenant,
      // Who vouched for the caller, as the configuration calls them.
      source,
      iat: issuedAtS,
      exp: Math.min(issuedAtS + ttlS, Math.ceil(expiresAtS)),
    })
  }
}
