/**
 * The bytes of a base64url segment (RFC 7515 section 2), or null unless it is written in the one canonical way:
 * that alphabet and nothing else, no padding, unused bits zero (RFC 4648 section 3.5).
 *
 * Canonical, because two spellings of one token would be two keys in every cache and revocation list.
 */
export function decodeBase64url(segment: string): Buffer | null {
  const bytes = Buffer.from(segment, 'base64url')
  // The decoder skips what it does not know and takes the other alphabet too, so only the canonical form comes back.
  return bytes.toString('base64url') === segment ? bytes : null
}
