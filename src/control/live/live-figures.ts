import type { ThreadSecond } from '../../observe/second-tally.ts'
import type { FiguresView, NumberedFailure, SecondColumns, TenantFigures } from './figures-view.ts'
import { SecondRing } from './second-ring.ts'
import { TenantMinute } from './tenant-minute.ts'

/** Of those with 5xx, and of the others: a flood of refusals pushes out no failure. */
const KEPT_FAILURES = 100

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
    const all = [...this.#failures, ...numbered]
    const servers = all.filter(isServers).slice(-KEPT_FAILURES)
    const others = all.filter((failed) => !isServers(failed)).slice(-KEPT_FAILURES)
    this.#failures = [...servers, ...others].sort((one, other) => one.number - other.number)
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

function isServers({ status }: NumberedFailure): boolean {
  return status >= 500
}
