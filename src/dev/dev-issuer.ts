import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { Clock } from '../lib/clock.ts'

export const DEV_ALGORITHMS = ['ES256', 'RS256'] as const

export type DevAlgorithm = (typeof DEV_ALGORITHMS)[number]

/** What a token is to say; the claims are named as the contract has them. */
export interface DevTokenOrder {
  readonly tenant: string
  readonly sub: string
  /** Words with spaces between; empty: none. */
  readonly scope: string
  readonly ttlS: number
  readonly alg: DevAlgorithm
  /** Claims more, or instead. */
  readonly claims: Readonly<Record<string, unknown>>
}

export interface DevToken {
  readonly token: string
  readonly claims: Readonly<Record<string, unknown>>
}

interface SigningPair {
  readonly kid: string
  readonly alg: DevAlgorithm
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

/** An issuer of tokens for whoever asks: development only. Keys last as long as the process. */
export class DevIssuer {
  /** What `iss` says, and where it is found. */
  readonly url: string
  readonly #clock: Clock
  #generation = 1
  #pairs: readonly SigningPair[]
  /** Of the generation before: published still, so that its tokens are good until the next rotation. */
  #previous: readonly SigningPair[] = []

  private constructor(url: string, clock: Clock, pairs: readonly SigningPair[]) {
    this.url = url
    this.#clock = clock
    this.#pairs = pairs
  }

  static async create(url: string, clock: Clock): Promise<DevIssuer> {
    return new DevIssuer(url, clock, await makePairs(1))
  }

  /** OpenID Connect Discovery 1.0 section 3, as far as there is anything to tell. */
  get document(): object {
    return {
      issuer: this.url,
      jwks_uri: `${this.url}/jwks`,
      token_endpoint: `${this.url}/token`,
      response_types_supported: [],
      grant_types_supported: ['client_credentials'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: DEV_ALGORITHMS,
    }
  }

  get keySet(): { readonly keys: readonly JWK[] } {
    return { keys: [...this.#pairs, ...this.#previous].map(({ publicJwk }) => publicJwk) }
  }

  /** New keys sign from now on. The old ones are published until this happens again. */
  async rotate(): Promise<readonly string[]> {
    const pairs = await makePairs(this.#generation + 1)
    this.#generation++
    this.#previous = this.#pairs
    this.#pairs = pairs
    return pairs.map(({ kid }) => kid)
  }

  async mint(order: DevTokenOrder): Promise<DevToken> {
    const pair = this.#pairs.find(({ alg }) => alg === order.alg)
    if (pair === undefined) throw new Error(`the dev issuer has no key for ${order.alg}`)
    const nowS = Math.floor(this.#clock.wallMs() / 1_000)
    const claims = {
      iss: this.url,
      sub: order.sub,
      company_id: order.tenant,
      ...(order.scope === '' ? {} : { scope: order.scope }),
      iat: nowS,
      exp: nowS + order.ttlS,
      jti: crypto.randomUUID(),
      ...order.claims,
    }
    const { alg, kid, privateKey } = pair
    const token = await new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(privateKey)
    return { token, claims }
  }
}

function makePairs(generation: number): Promise<readonly SigningPair[]> {
  return Promise.all(
    DEV_ALGORITHMS.map(async (alg) => {
      const { publicKey, privateKey } = await generateKeyPair(alg)
      const kid = `dev-${alg.toLowerCase()}-${generation}-${crypto.randomUUID().slice(0, 8)}`
      return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
    }),
  )
}
