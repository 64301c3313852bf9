import type { Secrecy } from './setting.ts'

/** One reason not to start. Holds no secret: `found` comes from `shown`. */
export interface Problem {
  /** As the operator writes it: GATEWAY_PORT. */
  readonly subject: string
  /** A clause that follows the subject: `is "80800"`. */
  readonly found: string
  /** A noun phrase. */
  readonly expected: string
  /** What to do: sentences. */
  readonly remedy: string
  /** `unreadable`: the setting is well-formed, but the machine did not give what it names. */
  readonly kind: 'invalid' | 'unreadable'
}

/** Collects everything wrong (problems) or doubtful (warnings), so that all of it is reported at once. */
export class Findings {
  readonly problems: Problem[] = []
  readonly warnings: string[] = []

  invalid(subject: string, found: string, expected: string, remedy: string): void {
    this.problems.push({ subject, found, expected, remedy, kind: 'invalid' })
  }

  unreadable(subject: string, found: string, expected: string, remedy: string): void {
    this.problems.push({ subject, found, expected, remedy, kind: 'unreadable' })
  }

  warn(text: string): void {
    this.warnings.push(text)
  }
}

/** One line, whatever the problem holds. */
export function describeProblem(problem: Problem): string {
  const text = `${problem.subject} ${problem.found}; expected ${problem.expected}. ${problem.remedy}`
  return text.replaceAll(/\s*[\r\n]\s*/g, ' ')
}

const maxShown = 120

/** A value as messages may show it: quoted, bounded, and withheld where it could hold a secret. */
export function shown(text: string, secrecy: Secrecy): string {
  if (secrecy === 'never') return 'set (not shown)'
  // An at sign may end a user's password, a dashed line begin a key, wherever they were pasted.
  if (text.includes('@') || text.includes('-----')) return 'set (not shown, it may hold a secret)'
  if (secrecy === 'path' && !/^\.{0,2}\//.test(text))
    return 'set (not shown, it is not written as /path or ./path)'
  const bounded = text.length > maxShown ? `${text.slice(0, maxShown)}…` : text
  return `"${bounded.replaceAll(/\p{Cc}/gu, '\uFFFD')}"`
}
