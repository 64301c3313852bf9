import type { OriginFault } from './origin-connection.ts'

/** What the client process is told, as JSON in its first argument. */
export interface ClientOrder {
  readonly seed: number
  readonly exchanges: number
  readonly lanes: number
  readonly port: number
  /** HS256. */
  readonly secret: string
  /** An exchange without progress for so long hangs. */
  readonly boundMs: number
}

export type ClientMessage =
  | { readonly kind: 'progress'; readonly settled: number; readonly counts: Readonly<Record<string, number>> }
  | { readonly kind: 'fault'; readonly text: string }
  /** Something that may be, but not often. */
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'done' }

/** What the origin process is told, as JSON in its first argument. */
export interface OriginOrder {
  readonly seed: number
  readonly exchanges: number
}

export type OriginMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'fault'; readonly fault: OriginFault; readonly text: string }
  /** The answer to any message: see OriginLedger. */
  | { readonly kind: 'tally'; readonly victims: number; readonly reuse: number }
