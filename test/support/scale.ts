const { NYRO_TEST_LONG = '' } = process.env

/** How much of something a test does: `short` in the suite, `long` with NYRO_TEST_LONG=1 in the environment. */
export function scale(short: number, long: number): number {
  return NYRO_TEST_LONG === '1' ? long : short
}
