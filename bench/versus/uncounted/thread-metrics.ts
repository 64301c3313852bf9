import type { ThreadMetrics as Counting } from '../../../src/metrics/thread-metrics.ts'

export class ThreadMetrics implements Pick<Counting, keyof Counting> {
  readonly seriesOf = (): number => 0

  record(): void {}

  accepted(): void {}

  turnedAway(): void {}

  tokenKnown(): void {}

  tokenJudged(): void {}

  pool(): void {}

  sample(): void {}
}
