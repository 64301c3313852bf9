const MAX_MESSAGE_LENGTH = 300
/** Shorter values are no secrets, and any message could hold them. */
const LEAST_TOLD = 4
/** So much of a value gives it away; of less, a message that only names what was expected could hold it too. */
const TELLING_LENGTH = 8

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
  const text = comparable(message)
  const isTold = leaves(value).some((leaf) => isQuoted(comparable(leaf), text))
  return isTold ? '(the message is not shown, because it quotes a value)' : oneLine(message)
}

/** Without the backslashes that quoting adds. */
function comparable(text: string): string {
  return text.toLowerCase().replaceAll('\\', '')
}

/** Whether a short leaf is a word of the text, or any piece of a longer one is in there: it may have been cut or escaped. */
function isQuoted(leaf: string, text: string): boolean {
  if (leaf.length < LEAST_TOLD) return false
  if (leaf.length < TELLING_LENGTH) return hasWord(text, leaf)
  for (let start = 0; start + TELLING_LENGTH <= leaf.length; start++) {
    if (text.includes(leaf.slice(start, start + TELLING_LENGTH))) return true
  }
  return false
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isWordUnit(text[at - 1]) && !isWordUnit(text[at + word.length])) return true
  }
  return false
}

function isWordUnit(unit: string | undefined): boolean {
  return unit !== undefined && /[a-z0-9]/.test(unit)
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(leaves)
}
