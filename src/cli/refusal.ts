/**
 * What standard error says when a configuration cannot be used: every problem, and the warnings, which may be their
 * cause. `outcome` is a clause for when there are several: `nothing was started`.
 */
export function describeRefusal(
  outcome: string,
  problems: readonly string[],
  warnings: readonly string[],
): string {
  const notes = warnings.map((warning) => `  note: ${warning}\n`).join('')
  const [only, second] = problems
  if (only !== undefined && second === undefined) return `nyro: ${only}\n${notes}`
  const list = problems.map((problem) => `  ${problem}\n`).join('')
  return `nyro: ${outcome}, for ${problems.length} reasons:\n${list}${notes}`
}
