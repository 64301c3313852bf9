import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Origin, response, type Script } from './origin.ts'
import { CLAIMS, token } from './token.ts'

interface Pair {
  readonly kid: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** How its server behaves. */
export type Manner = 'well' | 'down' | 'silent' | 'garbage' | 'empty' | 'redirect'

/** An identity provider over real sockets: ES256 keys, a key set, a discovery document. */
export class LocalIssuer {
  manner: Manner = 'well'
  /** Field lines of every good answer. */
  cacheControl: string | null = null
  /** Newest last; all of them are published. */
  pairs: Pair[] = [makePair('kid-1')]
  readonly origin: Origin

  private constructor(origin: Origin) {
    this.origin = origin
    origin.script = this.#script
  }

  static async start(): Promise<LocalIssuer> {
    return new LocalIssuer(await Origin.start())
  }

  /** Exactly what `iss` says. */
  get url(): string {
    return this.origin.url
  }

  get jwksUrl(): string {
    return `${this.origin.url}/jwks`
  }

  /** Requests for the key set. */
  get fetches(): number {
    return this.origin.seen.filter(({ target }) => target === '/jwks').length
  }

  get jwks(): object {
    return {
      keys: this.pairs.map(({ kid, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        use: 'sig',
      })),
    }
  }

  /** A new key signs from now on; the old ones are still published. */
  rotate(): void {
    this.pairs.push(makePair(`kid-${this.pairs.length + 1}`))
  }

  /** Signed by the newest key, of this issuer, for tenant acme. */
  token(
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): string {
    const pair = this.pairs.at(-1)
    if (pair === undefined) throw new Error('the issuer has no key')
    return token(
      { ...CLAIMS, iss: this.url, ...claims },
      { alg: 'ES256', key: pair.privateKey, header: { kid: pair.kid, ...header } },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.origin[Symbol.asyncDispose]()
  }

  readonly #script: Script = async (seen, reply) => {
    switch (this.manner) {
      case 'down':
        reply.reset()
        return
      case 'silent':
        await reply.gone
        return
      case 'garbage':
        await reply.write(response('200 OK', [], '<html>busy</html>'))
        return
      case 'empty':
        await reply.write(response('200 OK', [], '{"keys":[]}'))
        return
      case 'redirect':
        await reply.write(response('302 Found', [['Location', `${this.url}/elsewhere`]]))
        return
      case 'well': {
        const fields = this.cacheControl === null ? [] : [['Cache-Control', this.cacheControl] as const]
        const document = seen.target === '/jwks' ? this.jwks : { issuer: this.url, jwks_uri: this.jwksUrl }
        await reply.write(response('200 OK', fields, JSON.stringify(document)))
      }
    }
  }
}

function makePair(kid: string): Pair {
  return { kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
}
