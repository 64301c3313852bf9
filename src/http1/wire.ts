import { HeadPool } from './head-pool.ts'
import { LoopEpoch } from './loop-epoch.ts'
import { TimerWheel } from './timer-wheel.ts'

/** What all connections of a thread share. */
export class Wire {
  readonly wheel: TimerWheel
  readonly epoch = new LoopEpoch()
  readonly heads = new HeadPool(this.epoch)

  /** `clock`: monotonic milliseconds. */
  constructor(clock: () => number) {
    this.wheel = new TimerWheel(clock)
  }
}
