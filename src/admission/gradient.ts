export interface GradientOptions {
  readonly initial: number
  readonly min: number
  readonly max: number
}

/** How much of a window's news is believed at once. */
const SMOOTHING = 0.2
/** Latency may be that many times what it is at best before the limit shrinks. */
const TOLERANCE = 1.25
/** Windows after which the best latency is measured anew: the upstream may have become slower for good. */
const MEASURE_EVERY = 600
/** While measuring, at most so many exchanges at once, for one window in which what was under way ends and two that count. */
const MEASURE_LIMIT = 3
const MEASURE_WINDOWS = 3

/**
 * A concurrency limit that follows latency: while exchanges take about as long as at best it grows by the square root
 * of itself, when they take longer it shrinks in proportion, by half at most. The rule and the measuring at low
 * concurrency are those of Envoy's adaptive concurrency filter (gradient controller), which refined Netflix'
 * concurrency-limits: without measuring, a long overload becomes what is usual and the limit drifts up.
 */
export class Gradient {
  readonly #options: GradientOptions
  #limit: number
  #bestMs = Number.POSITIVE_INFINITY
  #windows = 0
  /** Windows that are left of a measurement; 0: none is under way. */
  #measuring = 0

  constructor(options: GradientOptions) {
    this.#options = options
    this.#limit = options.initial
  }

  get limit(): number {
    const { min } = this.#options
    return this.#measuring > 0 ? Math.max(min, MEASURE_LIMIT) : Math.floor(this.#limit)
  }

  /** One window's mean latency, and the most exchanges that were under way in it. */
  update(meanMs: number, inUse: number): void {
    if (!(meanMs > 0)) return
    if (this.#measuring > 0) {
      this.#measure(meanMs)
      return
    }
    this.#bestMs = Math.min(this.#bestMs, meanMs)
    // Where half the limit is not used, latency says nothing about it.
    if (inUse < this.#limit / 2) return
    this.#follow(meanMs)
    if (++this.#windows >= MEASURE_EVERY) this.#measuring = MEASURE_WINDOWS
  }

  #follow(meanMs: number): void {
    const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * this.#bestMs) / meanMs))
    const wanted = this.#limit * gradient + Math.sqrt(this.#limit)
    const { min, max } = this.#options
    const next = this.#limit * (1 - SMOOTHING) + wanted * SMOOTHING
    this.#limit = Math.max(min, Math.min(max, next))
  }

  #measure(meanMs: number): void {
    const isFirst = this.#measuring === MEASURE_WINDOWS
    if (isFirst) this.#bestMs = Number.POSITIVE_INFINITY
    else this.#bestMs = Math.min(this.#bestMs, meanMs)
    this.#measuring--
    this.#windows = 0
  }
}
