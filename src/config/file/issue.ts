import type { z } from 'zod'
import { nearestName } from '../suggestion.ts'
import type { Misfit } from './leaf.ts'
import { type Path, pathText, type Report } from './report.ts'

type Issue = z.core.$ZodIssue

/** What the schema was asked about. */
export interface Judged {
  readonly document: unknown
  readonly report: Report
  /** Whether something was said of the value at a path before: what a reference could not give. */
  isKnown(path: Path): boolean
}

/** Says what the schema found, in the operator's words: one problem for each issue and each unknown key. */
export function reportIssues(issues: readonly Issue[], judged: Judged): void {
  for (const issue of issues) reportIssue(issue, [], judged)
}

function reportIssue(issue: Issue, above: Path, judged: Judged): void {
  const path = [...above, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))]
  if (judged.isKnown(path)) return
  switch (issue.code) {
    case 'custom':
      reportMisfit(misfitOf(issue), path, judged)
      break
    case 'unrecognized_keys':
      reportUnknown(issue.keys, issue.message.split(' '), path, judged.report)
      break
    case 'invalid_union':
      reportUnion(issue.errors, path, judged)
      break
    default: {
      const wanted = issue.code === 'invalid_type' ? issue.expected : ''
      const value = valueAt(judged.document, path)
      judged.report.problem(path, {
        found: judged.report.describe(path, value),
        expected: kindText(wanted, issue.message),
        remedy: value === undefined ? 'Add it.' : 'Correct it.',
      })
    }
  }
}

function kindText(wanted: string, known: string): string {
  if (wanted === 'array') return 'a list'
  if (wanted === 'record') return 'an object of names and values'
  return wanted === 'object' ? `an object with ${known.split(' ').join(', ')}` : 'another kind of value'
}

function misfitOf(issue: Issue): Misfit | null {
  if (issue.code !== 'custom' || issue.params?.['expected'] === undefined) return null
  // leaf.ts makes these, and nothing else does.
  return issue.params as Misfit
}

function reportMisfit(misfit: Misfit | null, path: Path, { document, report }: Judged): void {
  if (misfit === null) throw new Error(`an issue of unknown origin at ${pathText(path)}`)
  const value = valueAt(document, path)
  const { expected, fault, secrecy } = misfit
  const todo =
    value === undefined ? 'Add it.' : value === null ? 'Give it one, or remove the key.' : 'Correct it.'
  report.problem(path, {
    found: report.describe(path, value, secrecy),
    expected,
    remedy: fault === null ? todo : `${fault} ${todo}`,
  })
}

function reportUnknown(keys: readonly string[], known: readonly string[], path: Path, report: Report): void {
  for (const key of keys) {
    const nearest = nearestName(key, known)
    report.problem([...path, key], {
      found: 'is not a known key',
      expected: `one of ${known.join(', ')}`,
      remedy: `The nearest is ${nearest}.`,
      end: 'key',
    })
  }
}

/** Of the branches of a union the one that the value's kind belongs to is meant. */
function reportUnion(branches: readonly (readonly Issue[])[], path: Path, judged: Judged): void {
  const meant = branches.filter((issues) => !issues.some(isMisshapen))
  const [branch] = meant
  if (branch !== undefined) {
    for (const issue of branch) reportIssue(issue, path, judged)
    return
  }
  const expected = branches.flatMap((issues) => issues.filter(isMisshapen).map(expectationOf))
  const value = valueAt(judged.document, path)
  judged.report.problem(path, {
    found: judged.report.describe(path, value),
    expected: [...new Set(expected)].join(', or '),
    remedy: value === undefined ? 'Add it.' : 'Correct it.',
  })
}

function isMisshapen(issue: Issue): boolean {
  if (issue.path.length > 0) return false
  if (issue.code === 'invalid_type') return true
  if (issue.code === 'invalid_union') return issue.errors.every((branch) => branch.some(isMisshapen))
  return misfitOf(issue)?.misshapen === true
}

function expectationOf(issue: Issue): string {
  if (issue.code === 'invalid_type') return kindText(issue.expected, issue.message)
  return misfitOf(issue)?.expected ?? 'another kind of value'
}

export function valueAt(document: unknown, path: Path): unknown {
  let value = document
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    // Own keys of plain data.
    value = (value as Readonly<Record<string | number, unknown>>)[step]
  }
  return value
}
