import type { Identity } from '../proxy/exchange.ts'

export type RevocationKind = 'jti' | 'subject' | 'tenant'

/** Whose credentials count for nothing, and until when. Plain data. */
export interface Revocation {
  readonly kind: RevocationKind
  /** A token's `jti` or an API key's shown prefix; a subject, of whatever tenant; a tenant. */
  readonly value: string
  /** Seconds since the epoch; null: until it is lifted. */
  readonly untilS: number | null
}

/** What is revoked, as each thread has it. Where nothing is, asking costs one comparison. */
export class RevocationSet {
  /** Until when, by value. */
  readonly #untilS: Readonly<Record<RevocationKind, Map<string, number>>> = {
    jti: new Map(),
    subject: new Map(),
    tenant: new Map(),
  }
  #size = 0

  get size(): number {
    return this.#size
  }

  revoke({ kind, value, untilS }: Revocation): void {
    const values = this.#untilS[kind]
    if (!values.has(value)) this.#size++
    values.set(value, untilS ?? Number.POSITIVE_INFINITY)
  }

  /** Whether there was anything to lift. */
  lift(kind: RevocationKind, value: string): boolean {
    if (!this.#untilS[kind].delete(value)) return false
    this.#size--
    return true
  }

  has(kind: RevocationKind, value: string): boolean {
    return this.#untilS[kind].has(value)
  }

  covers(identity: Identity, nowS: number): boolean {
    if (this.#size === 0) return false
    const { jti, subject, tenant } = identity
    return (
      this.#holds('tenant', tenant, nowS) ||
      this.#holds('subject', subject, nowS) ||
      (jti !== null && this.#holds('jti', jti, nowS))
    )
  }

  /** All there are, over ones included until they are lifted. */
  *[Symbol.iterator](): Generator<Revocation> {
    for (const kind of ['jti', 'subject', 'tenant'] as const) {
      for (const [value, untilS] of this.#untilS[kind])
        yield { kind, value, untilS: untilS === Number.POSITIVE_INFINITY ? null : untilS }
    }
  }

  #holds(kind: RevocationKind, value: string, nowS: number): boolean {
    const untilS = this.#untilS[kind].get(value)
    return untilS !== undefined && nowS < untilS
  }
}
