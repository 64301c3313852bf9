import type { ReloadOutcome } from './reload.ts'

type Counted = Exclude<ReloadOutcome['kind'], 'draining'>

/** What came of the loads of the configuration since the start. */
export class ReloadTally {
  readonly startedMs: number
  readonly counts: Record<Counted, number> = { applied: 0, unchanged: 0, refused: 0 }
  /** By the wall clock: when a load was last good, or the process started. */
  lastGoodMs: number
  /** Whether the last one was. */
  isGood = true
  readonly #wallMs: () => number

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
    this.startedMs = wallMs()
    this.lastGoodMs = this.startedMs
  }

  concluded({ kind }: ReloadOutcome): void {
    if (kind === 'draining') return
    this.counts[kind]++
    this.isGood = kind !== 'refused'
    if (this.isGood) this.lastGoodMs = this.#wallMs()
  }
}
