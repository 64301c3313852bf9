/** One connection to a store. Whatever is under way when it ends is rejected. */
export interface StoreConnection {
  send(command: readonly string[]): Promise<unknown>
}

/** Opens a connection, handshake included; `lost` is called when it breaks by itself, `signal` ends it at any time. */
export type ConnectStore = (lost: (reason: string) => void, signal: AbortSignal) => Promise<StoreConnection>

const WORD = /^[A-Z][A-Z_]*$/

/** What an error may say in a log: its code, or the word a Redis error begins with; never an address or a credential. */
export function errorWord(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if ('code' in error && typeof error.code === 'string') return error.code
  const [first = ''] = error.message.split(' ', 1)
  return WORD.test(first) ? first : error.name
}
