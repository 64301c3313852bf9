/** What an entry that is no protocol but a credential begins with. */
const PREFIX = 'nyro.bearer.'

/**
 * Every credential in a Sec-WebSocket-Protocol field (RFC 6455 section 11.3.4): tokens and API keys are made of
 * characters that stand there as they are. A page has no other way to give one than this and cookies.
 */
export function subprotocolCredentials(field: string): readonly string[] {
  return field
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry.startsWith(PREFIX))
    .map((entry) => entry.slice(PREFIX.length))
}

/** The protocols that are left for the upstream to choose from, so that it cannot choose, and echo, a credential; empty if there are none. */
export function withoutCredentials(field: string): string {
  const entries = field.split(',')
  const kept = entries.filter((entry) => !entry.trim().startsWith(PREFIX))
  return kept.length === entries.length ? field : kept.map((entry) => entry.trim()).join(', ')
}
