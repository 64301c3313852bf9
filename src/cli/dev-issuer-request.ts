import type { Minted, MintOrder } from './mint-order.ts'

/** Where `nyro dev` has its issuer unless the port is taken; see dev/dev-issuer-server.ts. */
export const DEV_ISSUER_URL = 'http://127.0.0.1:9903'

/** Whether a URL can be that of `nyro dev`, which listens on the loopback interface alone. */
export function isDevIssuer(text: string): boolean {
  const { protocol, hostname } = URL.parse(text) ?? {}
  return (
    protocol === 'http:' && (hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]')
  )
}

/** A text is why there is none. */
export async function mintByDevIssuer(url: string, order: MintOrder): Promise<Minted | string> {
  const base = url.replace(/\/+$/, '')
  const { tenant, sub, scopes, ttlS, alg, claims } = order
  try {
    const response = await fetch(`${base}/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        ...{ tenant, sub, scope: scopes.join(' '), ttl: ttlS, claims },
        ...(alg === null ? {} : { alg }),
      }),
      signal: AbortSignal.timeout(10_000),
    })
    // What the issuer of nyro dev answers with; something else there may answer anything.
    const body = (await response.json()) as {
      readonly access_token?: unknown
      readonly claims?: Minted['claims']
      readonly error_description?: unknown
    }
    if (response.ok && typeof body.access_token === 'string')
      return { token: body.access_token, claims: body.claims ?? {} }
    return `the issuer at ${base} refused: ${String(body.error_description ?? response.status)}`
  } catch {
    return `no nyro dev has its issuer at ${base}: start it, or name its issuer with --issuer URL`
  }
}
