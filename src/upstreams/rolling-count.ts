/** Cells of one rolling count. More than the periods anybody sums, so that a cell is re-used only long after. */
export const ROLLING_CELLS = 16

const COUNT_BITS = 18
const COUNT_MASK = (1 << COUNT_BITS) - 1
const TAG_MASK = (1 << (32 - COUNT_BITS)) - 1

/**
 * Counts per period, in shared cells that move to a new period by themselves: a cell holds the low bits of its period
 * beside the count, so that both change in one compare-and-swap and no thread adds to a count of long ago. A cell
 * untouched for exactly 16,384 periods (4.5 h of seconds) reads as present; what that costs is one odd decision.
 */
export function addRolling(cells: Int32Array, at: number, period: number): void {
  const cell = at + (period & (ROLLING_CELLS - 1))
  const tag = tagOf(period)
  for (;;) {
    const found = Atomics.load(cells, cell)
    const isPresent = (found & ~COUNT_MASK) === tag
    if (isPresent && (found & COUNT_MASK) === COUNT_MASK) return
    const next = isPresent ? found + 1 : tag + 1
    if (Atomics.compareExchange(cells, cell, found, next) === found) return
  }
}

/** Takes back one of `addRolling`. */
export function subRolling(cells: Int32Array, at: number, period: number): void {
  const cell = at + (period & (ROLLING_CELLS - 1))
  const tag = tagOf(period)
  for (;;) {
    const found = Atomics.load(cells, cell)
    if ((found & ~COUNT_MASK) !== tag || (found & COUNT_MASK) === 0) return
    if (Atomics.compareExchange(cells, cell, found, found - 1) === found) return
  }
}

/** The sum over so many periods, `period` the last of them; fewer than ROLLING_CELLS. */
export function sumRolling(cells: Int32Array, at: number, period: number, periods: number): number {
  let sum = 0
  for (let past = 0; past < periods; past++) {
    const found = Atomics.load(cells, at + ((period - past) & (ROLLING_CELLS - 1)))
    if ((found & ~COUNT_MASK) === tagOf(period - past)) sum += found & COUNT_MASK
  }
  return sum
}

export function clearRolling(cells: Int32Array, at: number): void {
  for (let cell = at; cell < at + ROLLING_CELLS; cell++) Atomics.store(cells, cell, 0)
}

function tagOf(period: number): number {
  return (period & TAG_MASK) << COUNT_BITS
}
