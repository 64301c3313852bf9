import { resolve } from 'node:path'
import { describeReadError } from '../read-error.ts'
import { type Path, pathText } from './report.ts'

/** What references may name. */
export interface ReferenceSource {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute: relative files are taken from here. */
  readonly folder: string
  /** Throws Node's error, with its `code`. */
  readFile(path: string): Uint8Array
}

export interface ReferenceFault {
  readonly path: Path
  readonly found: string
  readonly expected: string
  readonly remedy: string
  readonly kind: 'invalid' | 'unreadable'
}

export interface Interpolated {
  /** A copy, without anything shared. */
  readonly value: unknown
  readonly faults: readonly ReferenceFault[]
  /** By `pathKey`: what the scalar there was made of, as messages may name it. */
  readonly references: ReadonlyMap<string, string>
  /** Names of variables that were asked for. */
  readonly variables: ReadonlySet<string>
  /** Absolute paths of files that were read or tried. */
  readonly files: readonly string[]
}

/** Deeper than any configuration; what goes in circles ends here. */
const MOST_DEPTH = 64
/** Ten thousand routes are about 200,000 values: what grows past this by aliases means harm. */
const MOST_VALUES = 2_000_000

const VARIABLE = /^([A-Za-z_]\w*)(?::-(.*))?$/s

export function pathKey(path: Path): string {
  return path.join('\u0000')
}

/** Replaces `${NAME}`, `${NAME:-default}` and `${file:path}` in every text of plain data; `$${` stands for `${`. */
export function interpolate(document: unknown, source: ReferenceSource): Interpolated {
  return new Interpolation(source).run(document)
}

class Interpolation {
  readonly #source: ReferenceSource
  readonly #faults: ReferenceFault[] = []
  readonly #references = new Map<string, string>()
  readonly #variables = new Set<string>()
  readonly #files = new Set<string>()
  readonly #path: (string | number)[] = []
  #values = 0

  constructor(source: ReferenceSource) {
    this.#source = source
  }

  run(document: unknown): Interpolated {
    const value = this.#copy(document)
    return {
      value,
      faults: this.#faults,
      references: this.#references,
      variables: this.#variables,
      files: [...this.#files],
    }
  }

  #copy(value: unknown): unknown {
    if (++this.#values > MOST_VALUES || this.#path.length > MOST_DEPTH) return this.#tooMuch()
    if (typeof value === 'string') return value.includes('$') ? this.#fill(value) : value
    if (Array.isArray(value)) return value.map((item, index) => this.#within(index, item))
    if (typeof value !== 'object' || value === null) return value
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return this.#noData()
    const copy: Record<string, unknown> = {}
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue
      // Plain assignment of this one key would set the prototype.
      if (key === '__proto__') this.#refuseKey(key)
      else copy[key] = this.#within(key, member)
    }
    return copy
  }

  #within(step: string | number, value: unknown): unknown {
    this.#path.push(step)
    const copied = this.#copy(value)
    this.#path.pop()
    return copied
  }

  #refuseKey(key: string): void {
    this.#path.push(key)
    this.#fault('is a key', 'no key of this name', 'Remove it.')
    this.#path.pop()
  }

  #noData(): undefined {
    this.#fault('is no plain data', 'text, numbers, true or false, lists and objects', 'Write it as text.')
    return undefined
  }

  #tooMuch(): undefined {
    if (this.#faults.some(({ expected }) => expected === TOO_MUCH)) return undefined
    // Where the depth ran out says nothing; how it began does.
    this.#faults.push({
      path: this.#path.slice(0, 3),
      found: 'is deeper or larger than a configuration can be, aliases followed',
      expected: TOO_MUCH,
      remedy: 'Look for an alias (*name) inside its own anchor (&name), or for aliases of aliases.',
      kind: 'invalid',
    })
    return undefined
  }

  #fill(text: string): string {
    let filled = ''
    let named: string | null = null
    for (let at = 0; at < text.length; ) {
      const start = text.indexOf('${', at)
      if (start < 0) return this.#done(filled + text.slice(at), named)
      if (text[start - 1] === '$' && start > at) {
        filled += `${text.slice(at, start - 1)}\${`
        at = start + 2
        continue
      }
      const end = text.indexOf('}', start)
      if (end < 0) {
        this.#fault(
          'has a ${ without its }',
          'references such as ${NAME}',
          'Close it, or write $${ for a literal one.',
        )
        return ''
      }
      const found = this.#look(text.slice(start + 2, end))
      named ??= found.name
      filled += text.slice(at, start) + found.text
      at = end + 1
    }
    return this.#done(filled, named)
  }

  #done(filled: string, named: string | null): string {
    if (named !== null) this.#references.set(pathKey(this.#path), named)
    return filled
  }

  #look(inside: string): { readonly text: string; readonly name: string } {
    if (inside.startsWith('file:')) return this.#readFile(inside.slice(5))
    const [, name, fallback] = VARIABLE.exec(inside) ?? []
    if (name === undefined) {
      this.#fault(
        'has a reference that is not well-formed',
        '${NAME}, ${NAME:-default} or ${file:/path}',
        'Names are letters, digits and _. Write $${ for a literal ${.',
      )
      return { text: '', name: '${…}' }
    }
    this.#variables.add(name)
    const shownName = `\${${name}}`
    const value = this.#source.env[name]
    // As in a shell, `:-` also stands in for an empty one.
    if (fallback !== undefined)
      return { text: value === undefined || value === '' ? fallback : value, name: shownName }
    if (value === undefined) {
      this.#fault(
        `names the variable ${name}, which is not set`,
        'a variable of the environment or of .env',
        `Set ${name}, or give a default: \${${name}:-…}.`,
      )
    }
    return { text: value ?? '', name: shownName }
  }

  #readFile(written: string): { readonly text: string; readonly name: string } {
    // A secret pasted in the place of its path is not repeated.
    const name = /^\.{0,2}\/[^\s@]*$/.test(written) ? `\${file:${written}}` : '${file:…}'
    const path = resolve(this.#source.folder, written)
    this.#files.add(path)
    try {
      const bytes = this.#source.readFile(path)
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
      return { text: text.replace(/\r?\n$/, ''), name }
    } catch (error) {
      const reason = error instanceof TypeError ? 'it is not UTF-8' : describeReadError(error)
      this.#fault(
        `names ${name}, which cannot be read: ${reason}`,
        'a readable file',
        'Put the file there, or correct the path.',
        'unreadable',
      )
      return { text: '', name }
    }
  }

  #fault(found: string, expected: string, remedy: string, kind: ReferenceFault['kind'] = 'invalid'): void {
    this.#faults.push({ path: [...this.#path], found, expected, remedy, kind })
    this.#references.set(pathKey(this.#path), pathText(this.#path))
  }
}

const TOO_MUCH = `at most ${MOST_VALUES} values, ${MOST_DEPTH} deep`
