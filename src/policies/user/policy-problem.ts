const MAX_MESSAGE_LENGTH = 300
/** Shorter pieces of a value give nothing away, and any word could hold them. */
const TELLING_LENGTH = 4

/** One reason not to use a route's policy. Holds no value of its `with`. */
export interface PolicyProblem {
  /** The first route that names the policy. */
  readonly route: string
  /** The policy's place in the route's list, from 0. */
  readonly index: number
  /** Below that place: `['use']`, `['with', 'key']`. */
  readonly path: readonly string[]
  /** What was found, what was expected and what to do, on one line. */
  readonly text: string
}

/** The line for an operator. */
export function describePolicyProblem({ route, index, path, text }: PolicyProblem): string {
  return `routes.${oneLine(route)}.policies[${index}]${path.map((segment) => `.${oneLine(segment)}`).join('')}: ${text}`
}

/** Visible ASCII on one line, bounded. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll(/[^ -~]/g, '?')
  return line.length > MAX_MESSAGE_LENGTH ? `${line.slice(0, MAX_MESSAGE_LENGTH)}...` : line
}

/**
 * A message of somebody else's about `value`, unless it quotes what is in there: libraries name what they found, and a
 * `with` may hold secrets.
 */
export function withoutValues(message: string, value: unknown): string {
  const text = message.toLowerCase()
  const isTold = leaves(value).some((leaf) => isQuoted(leaf.toLowerCase(), text))
  return isTold ? '(the message is not shown, because it quotes a value)' : oneLine(message)
}

/** Whether any piece of the leaf is in the text: it may have been cut or escaped. */
function isQuoted(leaf: string, text: string): boolean {
  for (let start = 0; start + TELLING_LENGTH <= leaf.length; start++) {
    if (text.includes(leaf.slice(start, start + TELLING_LENGTH))) return true
  }
  return false
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(leaves)
}
