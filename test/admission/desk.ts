import type { SchedulerMessage } from '../../src/admission/admission-message.ts'
import { Gate } from '../../src/admission/gate.ts'
import { PlaceCount } from '../../src/admission/place-count.ts'
import { type AdmissionConfig, Scheduler } from '../../src/admission/scheduler.ts'

export const SLOT = 3
const SLOTS = 8

/** A scheduler and the gates of some data threads, in one thread: messages are handed over by `settle`, clocks by hand. */
export class Stage {
  nowMs = 1_000
  readonly places: readonly PlaceCount[]
  readonly gates: readonly Gate[]
  readonly scheduler: Scheduler
  readonly memory: SharedArrayBuffer
  readonly #mail: (() => void)[] = []

  constructor(config: AdmissionConfig, threads = 2) {
    this.memory = PlaceCount.create(SLOTS, threads)
    this.places = Array.from(
      { length: threads + 1 },
      (_, row) => new PlaceCount(this.memory, SLOTS, threads, row),
    )
    this.scheduler = new Scheduler({
      places: this.places[threads] as PlaceCount,
      post: (row, message: SchedulerMessage) => {
        this.#mail.push(() => this.gates[row]?.said(message))
      },
      nowMs: () => this.nowMs,
    })
    this.gates = Array.from(
      { length: threads },
      (_, row) =>
        new Gate({
          places: this.places[row] as PlaceCount,
          post: (message) => {
            this.#mail.push(() => this.scheduler.said(row, message))
          },
        }),
    )
    this.scheduler.configure(SLOT, config)
  }

  /** Delivers all messages, and those they cause. */
  async settle(): Promise<void> {
    for (let deliver = this.#mail.shift(); deliver !== undefined; deliver = this.#mail.shift()) deliver()
    await Promise.resolve()
    if (this.#mail.length > 0) await this.settle()
  }

  get inUse(): number {
    return this.scheduler.stateOf(SLOT)?.inUse ?? -1
  }

  get waiting(): number {
    return this.scheduler.stateOf(SLOT)?.waiting ?? -1
  }
}
