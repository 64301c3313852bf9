import type { Options } from './option.ts'
import type { CaseReport } from './report.ts'
import type { Stand, Upstream } from './stand.ts'

/** What a case is given. */
export interface Bench {
  readonly stand: Stand
  readonly upstream: Upstream
  readonly options: Options
  /** A progress line. */
  say(line: string): void
}

export type Case = (bench: Bench) => Promise<CaseReport | null>
