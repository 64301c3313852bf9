/** Where a route lets a credential stand. */
export type CredentialSource =
  /** `Authorization: Bearer` for tokens, the configured field for API keys. */
  | { readonly kind: 'header' }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  /** An entry of Sec-WebSocket-Protocol that begins with `nyro.bearer.`. */
  | { readonly kind: 'subprotocol' }

/** RFC 6265 section 4.1.1 (a token) without what a query would have to escape. */
const NAME = /^[\w.~-]{1,64}$/

/** As the operator writes it: `header`, `cookie:<name>`, `query:<name>`, `subprotocol`. Null: something else. */
export function parseCredentialSource(text: string): CredentialSource | null {
  if (text === 'header' || text === 'subprotocol') return { kind: text }
  const colon = text.indexOf(':')
  const kind = text.slice(0, colon)
  const name = text.slice(colon + 1)
  if ((kind !== 'cookie' && kind !== 'query') || !NAME.test(name)) return null
  return { kind, name }
}
