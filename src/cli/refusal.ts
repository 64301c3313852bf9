/** What standard error says when the settings cannot be used: every problem, and the warnings, which may be their cause. */
export function describeRefusal(problems: readonly string[], warnings: readonly string[]): string {
  const notes = warnings.map((warning) => `  note: ${warning}\n`).join('')
  const [only, second] = problems
  if (only !== undefined && second === undefined) return `nyro: ${only}\n${notes}`
  const list = problems.map((problem) => `  ${problem}\n`).join('')
  return `nyro: nothing was started, for ${problems.length} reasons:\n${list}${notes}`
}
