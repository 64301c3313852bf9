import type { ConfigChange, ReloadCause, ReloadOutcome } from '../reload.ts'

/** What the last reload that was not for nothing came to. */
export interface LastReload {
  /** Wall clock. */
  readonly atMs: number
  readonly cause: ReloadCause
  readonly outcome: 'applied' | 'refused'
  /** The config in force against the one before it; a secret is said to have changed. */
  readonly changes: readonly ConfigChange[]
  readonly problems: readonly string[]
}

/** Remembers it, and how often the config in force has changed. */
export class ReloadRecord {
  readonly #wallMs: () => number
  #last: LastReload | null = null
  #changes = 0

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  get last(): LastReload | null {
    return this.#last
  }

  /** Another number, another config in force or another outcome to show. */
  get version(): number {
    return this.#changes
  }

  note(cause: ReloadCause, outcome: ReloadOutcome): void {
    if (outcome.kind !== 'applied' && outcome.kind !== 'refused') return
    this.#changes += 1
    this.#last = {
      atMs: this.#wallMs(),
      cause,
      outcome: outcome.kind,
      changes: outcome.kind === 'applied' ? outcome.changes : (this.#last?.changes ?? []),
      problems: outcome.kind === 'refused' ? outcome.problems : [],
    }
  }

  /** Something of the config in force was changed otherwise. */
  touch(): void {
    this.#changes += 1
  }
}
