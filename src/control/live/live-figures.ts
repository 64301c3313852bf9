import type { ThreadSecond } from '../../observe/second-tally.ts'
import type { FiguresView, NumberedFailure, SecondColumns, TenantFigures } from './figures-view.ts'
import { SecondRing } from './second-ring.ts'
import { TenantMinute } from './tenant-minute.ts'

const KEPT_FAILURES = 200

/** Traffic as data threads tell of it second by second; bounded, whatever they tell. */
export class LiveFigures implements FiguresView {
  readonly #wallMs: () => number
  readonly #seconds: SecondRing
  readonly #minute = new TenantMinute()
  #failures: readonly NumberedFailure[] = []
  #count = 0

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
    this.#seconds = new SecondRing(Math.floor(wallMs() / 1_000))
  }

  take(told: ThreadSecond): void {
    this.#seconds.add(told)
    this.#minute.add(told)
    if (told.failures.length === 0) return
    const numbered = told.failures.map((failed) => ({ ...failed, number: ++this.#count }))
    this.#failures = [...this.#failures, ...numbered].slice(-KEPT_FAILURES)
  }

  seconds(last: number, count: number): SecondColumns {
    return this.#seconds.columns(last, count)
  }

  tenants(): readonly TenantFigures[] {
    this.#minute.forget(Math.floor(this.#wallMs() / 1_000))
    return this.#minute.figures()
  }

  failuresAfter(number: number): readonly NumberedFailure[] {
    return this.#failures.filter((failed) => failed.number > number)
  }
}
