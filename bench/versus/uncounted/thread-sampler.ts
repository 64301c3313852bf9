import type { ThreadSampler as Counting } from '../../../src/worker/thread-sampler.ts'

export class ThreadSampler implements Pick<Counting, keyof Counting> {
  start(): void {}

  sample(): void {}
}
