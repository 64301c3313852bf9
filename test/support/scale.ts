const { NYRO_TEST_LONG = '' } = process.env

/** Whether NYRO_TEST_LONG=1 asks for what takes a machine to itself. */
export const isLong = NYRO_TEST_LONG === '1'

/** How much of something a test does: `short` in the suite, `long` with NYRO_TEST_LONG=1 in the environment. */
export function scale(short: number, long: number): number {
  return isLong ? long : short
}
