import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import type { Path, Place } from './report.ts'

/** A file's text, read: its value, and where everything in it stands. */
export interface ReadDocument {
  /** Plain data, aliases resolved (and shared). Undefined where faults leave nothing to judge. */
  readonly value: unknown
  readonly faults: readonly SyntaxFault[]
  locate(path: Path, end: 'key' | 'value'): Place | null
}

export interface SyntaxFault {
  readonly place: Place | null
  /** Sentences, without a word of the file: it may hold secrets. */
  readonly text: string
}

const QUOTE_REFERENCE = 'Inside { } and [ ], put ${…} in quotes: "${NAME}".'

/** In our words: the library's own repeat pieces of the text. */
const FAULTS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'An alias (*name) is not well-formed.',
  BAD_DIRECTIVE: 'A directive (%) is not known. Remove it.',
  BAD_DQ_ESCAPE: 'There is an unknown \\ escape in double quotes. Double the \\, or use single quotes.',
  BAD_INDENT: 'The indentation does not fit what is around it, or a bracket is not closed.',
  BAD_SCALAR_START: 'A value cannot begin with this character. Put it in quotes.',
  BLOCK_AS_IMPLICIT_KEY: 'A value with ": " in it, or a nested mapping on one line. Put the value in quotes.',
  BLOCK_IN_FLOW: 'Indented blocks cannot stand inside { } or [ ].',
  DUPLICATE_KEY: 'The key stands here for the second time. Remove one of the two.',
  MISSING_CHAR: 'A comma, colon, bracket or closing quote is missing.',
  MULTILINE_IMPLICIT_KEY: 'A key goes over more than one line. A colon or a closing quote is missing before.',
  MULTIPLE_DOCS: 'A second document (---) begins. Keep one configuration in a file.',
  NON_STRING_KEY: 'A key is no text. Put it in quotes.',
  RESOURCE_EXHAUSTION: 'It is nested deeper than a configuration can be.',
  TAB_AS_INDENT: 'A tab indents. Use spaces.',
  TAG_RESOLVE_FAILED: 'Tags (!name) are not taken. Remove it.',
  UNEXPECTED_TOKEN: 'Something stands here that does not belong here.',
}

/** Faults that leave the rest readable. */
const HARMLESS = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED', 'BAD_DIRECTIVE'])

export function readYaml(text: string): ReadDocument {
  const source = new YamlSource(text)
  const { document } = source
  const locate = (path: Path, end: 'key' | 'value'): Place | null => source.locate(path, end)
  const told = ({ code, pos }: YAMLError): SyntaxFault => ({
    place: source.placeOf(pos[0]),
    text: source.explain(code, pos[0]),
  })
  // The first error explains the others.
  const broken = document.errors.find(({ code }) => !HARMLESS.has(code))
  if (broken !== undefined) return { value: undefined, faults: [told(broken)], locate }
  const faults = [...document.errors, ...document.warnings].map(told)
  try {
    // Shared, not copied: whoever walks them bounds the walk.
    return { value: document.toJS({ maxAliasCount: -1 }) as unknown, faults, locate }
  } catch {
    const place = source.unresolvedAlias()
    const unresolved = { place, text: 'An alias (*name) names no anchor (&name) before it.' }
    return { value: undefined, faults: [...faults, unresolved], locate }
  }
}

/** JSON by the runtime's own grammar; the YAML parser, which reads all of it and is slow, tells places if any are asked for. */
export function readJson(text: string): ReadDocument {
  let yaml: ReadDocument | null = null
  const open = (): ReadDocument => {
    yaml ??= readYaml(text)
    return yaml
  }
  const locate: ReadDocument['locate'] = (path, end) => open().locate(path, end)
  try {
    const value: unknown = JSON.parse(text)
    const doubled = writtenKeys(text) > countKeys(value)
    const faults = doubled ? open().faults.filter((fault) => fault.text === FAULTS['DUPLICATE_KEY']) : []
    return { value, faults, locate }
  } catch (error) {
    // Of Node's message only the place: it quotes what stands there.
    const [, line, column] = /line (\d+) column (\d+)/.exec(error instanceof Error ? error.message : '') ?? []
    const place = line === undefined ? null : { line: Number(line), column: Number(column) }
    return { value: undefined, faults: [{ place, text: 'It is not JSON (RFC 8259).' }], locate }
  }
}

/** Of a text that is JSON: strings with a colon behind them. */
function writtenKeys(text: string): number {
  let keys = 0
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:?)/g)) if (colon === ':') keys++
  return keys
}

/** Without recursion: JSON.parse goes deeper than the stack. */
function countKeys(value: unknown): number {
  let keys = 0
  const waiting = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    const members = Object.values(next)
    if (!Array.isArray(next)) keys += members.length
    for (const member of members) waiting.push(member)
  }
  return keys
}

class YamlSource {
  readonly document: Document
  readonly #text: string
  readonly #lines = new LineCounter()

  constructor(text: string) {
    this.#text = text
    this.document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      merge: true,
      stringKeys: true,
      // At 'silent' a second document is no error.
      logLevel: 'error',
    })
  }

  placeOf(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  explain(code: string, offset: number): string {
    const sentence = FAULTS[code] ?? `It is not YAML 1.2 (${code}).`
    const { line } = this.placeOf(offset)
    const start = this.#lines.lineStarts[line - 1] ?? 0
    const before = this.#text.slice(start, offset + 1)
    return !HARMLESS.has(code) && /[{[].*\$\{/.test(before) ? `${sentence} ${QUOTE_REFERENCE}` : sentence
  }

  unresolvedAlias(): Place | null {
    let place: Place | null = null
    visit(this.document, {
      Alias: (_key, node) => {
        if (node.resolve(this.document) !== undefined) return undefined
        place = this.placeOf(node.range?.[0] ?? 0)
        return visit.BREAK
      },
    })
    return place
  }

  locate(path: Path, end: 'key' | 'value'): Place | null {
    let node: unknown = this.document.contents
    let offset: number | null = offsetOf(node)
    for (const step of path) {
      const container = isAlias(node) ? node.resolve(this.document) : node
      const pair = isMap(container) ? this.#findPair(container.items, String(step)) : null
      const item = isSeq(container) && typeof step === 'number' ? container.items[step] : undefined
      node = pair === null ? item : pair.value
      const key = pair === null ? null : offsetOf(pair.key)
      // Of what spreads over lines the key is what people look for.
      const found = key !== null && (end === 'key' || !isScalar(node)) ? key : (offsetOf(node) ?? key)
      if (found === null) break
      offset = found
    }
    return offset === null ? null : this.placeOf(offset)
  }

  /** Also what `<<` brings in. */
  #findPair(pairs: readonly Pair[], key: string): Pair | null {
    for (const pair of pairs) {
      if (isScalar(pair.key) && String(pair.key.value) === key) return pair
    }
    for (const pair of pairs) {
      if (!isScalar(pair.key) || String(pair.key.source ?? pair.key.value) !== '<<') continue
      const merged = isSeq(pair.value) ? pair.value.items : [pair.value]
      for (const source of merged) {
        const map = isAlias(source) ? source.resolve(this.document) : source
        const found = isMap(map) ? this.#findPair(map.items, key) : null
        if (found !== null) return found
      }
    }
    return null
  }
}

function offsetOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null
}
