import type { PublishedKey } from '../../assertion/signing-key.ts'
import { type AdminResource, READING } from './admin-answer.ts'

/** Where upstreams find the public keys of assertions; open to whoever reaches the listener, as it is public. */
export const JWKS_PATH = '/.well-known/jwks.json'

/** `GET /.well-known/jwks.json` (RFC 7517). */
export function jwksResource(published: () => readonly PublishedKey[]): AdminResource {
  return {
    methods: READING,
    answer: () => ({
      status: 200,
      fields: { 'Content-Type': 'application/jwk-set+json' },
      body: JSON.stringify({ keys: published() }),
    }),
  }
}
