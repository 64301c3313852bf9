import { looksLikeApiKey } from '../api-keys/key-text.ts'
import type { RequestHead } from '../proxy/exchange.ts'
import { cookieValues } from './cookie.ts'
import type { CredentialSource } from './credential-source.ts'
import { queryValues } from './query-parameter.ts'
import { subprotocolCredentials } from './subprotocol.ts'

/** Something that says who calls, unproven. */
export interface Credential {
  readonly kind: 'token' | 'api-key'
  readonly text: string
  readonly place: CredentialSource['kind']
}

/** Every credential outside of header fields of its own, in the places a route lists. Empty ones count for nothing. */
export function placedCredentials(
  head: RequestHead,
  sources: readonly CredentialSource[],
): readonly Credential[] {
  return sources.flatMap((source) =>
    textsAt(head, source)
      .filter((text) => text !== '')
      .map((text) => ({ kind: looksLikeApiKey(text) ? 'api-key' : 'token', text, place: source.kind })),
  )
}

function textsAt(head: RequestHead, source: CredentialSource): readonly string[] {
  switch (source.kind) {
    case 'header':
      return []
    case 'cookie':
      return inEachField(head, 'cookie', (field) => cookieValues(field, source.name))
    case 'query':
      return queryValues(head.target, source.name)
    case 'subprotocol':
      return inEachField(head, 'sec-websocket-protocol', subprotocolCredentials)
  }
}

function inEachField(
  head: RequestHead,
  name: string,
  read: (field: string) => readonly string[],
): readonly string[] {
  const texts: string[] = []
  for (let index = head.find(name, 0); index >= 0; index = head.find(name, index + 1))
    texts.push(...read(head.value(index)))
  return texts
}
