import { Wire } from '../../src/http1/wire.ts'

const TICK_MS = 50

/** What connections of a thread share, with a clock that stands still until a test moves it. */
export class ManualWire {
  nowMs = 1_000_000
  readonly wire = new Wire(() => this.nowMs)

  /** Lets time pass tick by tick; what was due has expired when this returns. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + TICK_MS)
      this.wire.wheel.turn()
    }
  }

  [Symbol.dispose](): void {
    this.wire.wheel.stop()
  }
}
