import type { SecondReport as Counting } from '../../../src/worker/second-report.ts'

export class SecondReport implements Pick<Counting, keyof Counting> {
  add(): void {}

  tick(): void {}
}
