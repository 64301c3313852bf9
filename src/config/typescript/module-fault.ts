import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Why a module yields no config. */
export interface ModuleFault {
  /** `unsupported`: TypeScript that cannot be erased. `missing`: an import names nothing that is there. */
  readonly kind: 'syntax' | 'unsupported' | 'missing' | 'thrown'
  /** Absolute path; null if it happened in no file of the operator's. */
  readonly file: string | null
  /** From 1. */
  readonly line: number | null
  /** From 1. */
  readonly column: number | null
  /** The error's own message. */
  readonly text: string
}

/** An import that failed. */
export interface FailedImport {
  /** As written. */
  readonly specifier: string
  /** URL of the module that has it. */
  readonly parent: string
  /** What it was rejected with; a config may have caught it. */
  readonly error: unknown
}

export interface Progress {
  /** URLs of the operator's modules, in the order they were loaded. */
  readonly loaded: readonly string[]
  readonly failedImport: FailedImport | null
}

/** What an import's rejection means, and where; runs in the thread in which it happened. */
export function locateFault(error: unknown, { loaded, failedImport }: Progress): ModuleFault {
  const text = messageOf(error)
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return { kind: 'unsupported', ...arrowPlace(stack), text }
  if (code === 'ERR_INVALID_TYPESCRIPT_SYNTAX') return { kind: 'syntax', ...arrowPlace(stack), text }
  if (failedImport !== null && failedImport.error === error) {
    return { kind: 'missing', ...importPlace(failedImport), text: failedImport.specifier }
  }
  if (!(error instanceof SyntaxError)) return { kind: 'thrown', ...framePlace(stack, loaded), text }
  const place = arrowPlace(stack)
  if (place.file !== null) return { kind: 'syntax', ...place, text }
  const frame = framePlace(stack, loaded)
  // From the operator's code, by JSON.parse for one, whose message quotes what it was given: perhaps a secret.
  if (frame.file !== null) return { kind: 'thrown', ...frame, text: 'SyntaxError, for a text it parses' }
  const last = loaded.at(-1) ?? null
  if (last?.endsWith('.json') === true) {
    // Node's message quotes the text.
    return {
      kind: 'syntax',
      file: fileURLToPath(last),
      line: null,
      column: null,
      text: 'it is not JSON (RFC 8259)',
    }
  }
  return { kind: 'syntax', ...scriptPlace(last), text }
}

type Place = Pick<ModuleFault, 'file' | 'line' | 'column'>

const NOWHERE: Place = { file: null, line: null, column: null }

function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message
  return typeof error === 'string' ? error : `a value that is no Error (${typeof error})`
}

/** Node puts `FILE:LINE`, the line and a row of carets before the stack of a syntax error. */
function arrowPlace(stack: string): Place {
  const [first = '', ...rest] = stack.split('\n')
  const [, place, line] = /^((?:file:\/\/)?\/.+):(\d+)$/.exec(first) ?? []
  if (place === undefined) return NOWHERE
  const carets = rest.find((row) => /^\s*\^+\s*$/.test(row))
  const column = carets === undefined ? null : carets.indexOf('^') + 1
  return { file: place.startsWith('file:') ? fileURLToPath(place) : place, line: Number(line), column }
}

/** The innermost frame in the operator's own code. */
function framePlace(stack: string, loaded: readonly string[]): Place {
  for (const row of stack.split('\n')) {
    const [, url = '', line, column] = /(file:\/\/.+):(\d+):(\d+)\)?$/.exec(row) ?? []
    if (loaded.includes(url)) return { file: fileURLToPath(url), line: Number(line), column: Number(column) }
  }
  return NOWHERE
}

function importPlace({ specifier, parent }: FailedImport): Place {
  const file = fileURLToPath(parent)
  const rows = readFileSync(file, 'utf8').split('\n')
  const index = rows.findIndex((row) => row.includes(`'${specifier}'`) || row.includes(`"${specifier}"`))
  return { file, line: index < 0 ? null : index + 1, column: null }
}

/** V8 keeps the place of a syntax error in plain JavaScript to itself: the stripper, which parses too, tells it. */
function scriptPlace(url: string | null): Place {
  if (url === null) return NOWHERE
  const file = fileURLToPath(url)
  try {
    stripTypeScriptTypes(readFileSync(file, 'utf8'), { sourceUrl: file })
  } catch (error) {
    const place = arrowPlace(error instanceof Error ? (error.stack ?? '') : '')
    if (place.file !== null) return place
  }
  return { ...NOWHERE, file }
}
