import { isMap, isSeq, parseDocument } from 'yaml'

/** A text that is no YAML; the message tells where, and nothing of what stands there. */
export class KeyFileFault extends Error {}

/** An entry of a file of API keys, as it is written; see api-keys/parse-api-keys.ts. */
export interface KeyFileEntry {
  readonly name: string
  readonly tenant: string
  readonly prefix: string
  readonly hash: string
  readonly scopes?: readonly string[]
  readonly plan?: string
  readonly expires?: string
}

/** Stands at the top of a file that `addKeyEntry` begins. */
const HEADING = ' API keys: hashes only. Made by nyro apikey create; nyro apikey list shows them.'

export type KeyFileFormat = 'yaml' | 'json'

/** The file's data, for parseApiKeys. Throws KeyFileFault. */
export function keyEntriesOf(text: string, format: KeyFileFormat): unknown {
  return format === 'json' ? jsonOf(text) : documentOf(text).toJS()
}

/** The text with one entry more, remarks and the rest as they were. The text is to be a list, or empty. */
export function addKeyEntry(text: string, entry: KeyFileEntry, format: KeyFileFormat): string {
  if (format === 'json') return jsonText([...listOf(jsonOf(text)), entry])
  const document = documentOf(text)
  if (!isSeq(document.contents)) {
    document.contents = document.createNode([])
    if (text.trim() === '') document.commentBefore = HEADING
  }
  const list = document.contents
  if (!isSeq(list)) return text
  // An empty list is mostly written `[]`, where entries would stand in a row.
  if (list.items.length === 0) list.flow = false
  list.add(document.createNode({ ...entry }))
  return document.toString({ lineWidth: 0 })
}

/** The text without the entry of that name; null: there is none. */
export function removeKeyEntry(text: string, name: string, format: KeyFileFormat): string | null {
  if (format === 'json') {
    const entries = listOf(jsonOf(text))
    const rest = entries.filter((entry) => !isNamed(entry, name))
    return rest.length === entries.length ? null : jsonText(rest)
  }
  const document = documentOf(text)
  const list = document.contents
  if (!isSeq(list)) return null
  const index = list.items.findIndex((item) => isMap(item) && item.get('name') === name)
  if (index < 0) return null
  list.delete(index)
  return document.toString({ lineWidth: 0 })
}

function documentOf(text: string): ReturnType<typeof parseDocument> {
  const document = parseDocument(text, { prettyErrors: true })
  const [fault] = document.errors
  if (fault === undefined) return document
  const [place] = fault.linePos ?? []
  throw new KeyFileFault(place === undefined ? 'it is no YAML' : `line ${place.line} is no YAML`)
}

function jsonOf(text: string): unknown {
  if (text.trim() === '') return null
  try {
    return JSON.parse(text)
  } catch {
    throw new KeyFileFault('it is no JSON')
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isNamed(entry: unknown, name: string): boolean {
  return typeof entry === 'object' && entry !== null && 'name' in entry && entry.name === name
}

function jsonText(entries: readonly unknown[]): string {
  return `${JSON.stringify(entries, null, 2)}\n`
}
