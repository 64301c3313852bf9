import { shown } from '../finding.ts'
import type { Refused } from '../loaded.ts'
import type { Secrecy } from '../setting.ts'

export type Path = readonly (string | number)[]

export interface Place {
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** The document that is judged, as far as messages need it. */
export interface Subject {
  /** The file, as the operator named it. */
  readonly label: string
  /** Where the value at a path stands, or the nearest that encloses it; null where nothing has a place. */
  locate(path: Path, end: 'key' | 'value'): Place | null
  /** What the scalar at a path was made of, such as `${PORT}`; null if it is written out. */
  reference(path: Path): string | null
}

export interface Fault {
  /** A clause that follows the path: `is "80800"`. */
  readonly found: string
  /** A noun phrase. */
  readonly expected: string
  /** What to do: sentences. */
  readonly remedy: string
  /** `unreadable`: it is well-formed, but the machine did not give what it names. Default: invalid. */
  readonly kind?: 'invalid' | 'unreadable'
  /** Which end of the pair is meant. Default: the value. */
  readonly end?: 'key' | 'value'
}

interface Entry {
  readonly place: Place | null
  readonly text: string
}

/** Collects everything wrong or doubtful of one document; yields lines in the document's order. */
export class Report {
  readonly #subject: Subject
  readonly #problems: Entry[] = []
  readonly #warnings: Entry[] = []
  #invalid = 0

  constructor(subject: Subject) {
    this.#subject = subject
  }

  get failed(): boolean {
    return this.#problems.length > 0
  }

  problem(path: Path, { found, expected, remedy, kind = 'invalid', end = 'value' }: Fault): void {
    if (kind === 'invalid') this.#invalid++
    this.#add(this.#problems, path, `${found}; expected ${expected}. ${remedy}`, end)
  }

  /** One that stands at a place of the text, not at a path of the document. */
  problemAt(place: Place | null, text: string): void {
    this.#invalid++
    this.#problems.push({ place, text: this.#line(place, text) })
  }

  /** One of another door or another file, complete. */
  problemLine(text: string): void {
    this.#invalid++
    this.#problems.push({ place: null, text: oneLine(text) })
  }

  warn(path: Path, clause: string): void {
    this.#add(this.#warnings, path, clause, 'key')
  }

  warnLine(text: string): void {
    this.#warnings.push({ place: null, text: oneLine(text) })
  }

  /** `is "5 parsecs"`; withheld where it is a secret or came from elsewhere. */
  describe(path: Path, value: unknown, secrecy: Secrecy = 'open'): string {
    const reference = this.#subject.reference(path)
    if (reference !== null) return `is set by ${reference} (not shown)`
    if (value === undefined) return 'is missing'
    if (value === null) return 'has no value'
    if (typeof value === 'string') return `is ${shown(value, secrecy)}`
    if (secrecy === 'never') return 'is set (not shown)'
    if (Array.isArray(value)) return 'is a list'
    return typeof value === 'object' ? 'is an object' : `is ${String(value)}`
  }

  /** A name as other messages may quote it: `"query"`, or where it was withheld, only where it stands. */
  quote(path: Path, value: string): string {
    return this.#subject.reference(path) === null ? shown(value, 'open') : `the value of ${pathText(path)}`
  }

  /** A file that the value at a path names, as messages begin with it. */
  fileLabel(path: Path, written: string): string {
    const isShown = this.#subject.reference(path) === null && !/[@\s]/.test(written) && written.length <= 256
    return isShown ? written : `the file of ${pathText(path)}`
  }

  /** `line 12`, or nothing where there are no lines. */
  lineOf(path: Path): string {
    const place = this.#subject.locate(path, 'value')
    return place === null ? '' : ` (line ${place.line})`
  }

  get problems(): readonly string[] {
    return inOrder(this.#problems)
  }

  get warnings(): readonly string[] {
    return inOrder(this.#warnings)
  }

  refuse(files: readonly string[]): Refused {
    const { problems, warnings } = this
    return { config: null, problems, exitCode: this.#invalid > 0 ? 2 : 1, warnings, files }
  }

  #add(entries: Entry[], path: Path, clause: string, end: 'key' | 'value'): void {
    const place = this.#subject.locate(path, end)
    const subject = path.length === 0 ? '' : `${pathText(path)} `
    entries.push({ place, text: this.#line(place, subject + clause) })
  }

  #line(place: Place | null, text: string): string {
    const { label } = this.#subject
    return oneLine(`${place === null ? label : `${label}:${place.line}:${place.column}`} ${text}`)
  }
}

/** `routes[0].timeouts.head`; keys that are no names in quotes. */
export function pathText(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\w$-]{1,80}$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${shown(step, 'open')}]`
  }
  return text
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]\s*/g, ' ')
}

function inOrder(entries: readonly Entry[]): readonly string[] {
  return entries
    .toSorted((left, right) => {
      // What has no place stands first.
      const [a, b] = [left.place ?? { line: 0, column: 0 }, right.place ?? { line: 0, column: 0 }]
      return a.line - b.line || a.column - b.column
    })
    .map(({ text }) => text)
}
