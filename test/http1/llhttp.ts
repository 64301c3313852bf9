/**
 * Node's own HTTP parser as a second reader, to hold ours against. Reachable only under `node --expose-internals`;
 * its shape was found by experiment on Node 26 and is checked before use.
 */
import { createRequire } from 'node:module'
import type { HeadKind } from './reading.ts'

type Callback = (...values: never[]) => number | undefined

interface Parser {
  [callback: number]: Callback
  initialize(kind: number, resource: object, maxHeadBytes: number, lenientFlags: number): void
  execute(bytes: Buffer, start: number, length: number): number | (Error & { code: string; reason: string })
  finish(): unknown
}

interface Binding {
  readonly HTTPParser: { new (): Parser; readonly [constant: string]: number }
  readonly methods: readonly string[]
  readonly allMethods: readonly string[]
}

/** One message as llhttp read it. */
export interface Message {
  major: number
  minor: number
  method: string
  target: string
  status: number
  reason: string
  fields: [string, string][]
  upgrade: boolean
  keepAlive: boolean
  body: string
  trailers: [string, string][]
  complete: boolean
}

export interface Run {
  readonly messages: readonly Message[]
  /** `code: reason`, or null. Reading stops at an error, and after a message that asks for an upgrade. */
  readonly error: string | null
}

const INTERNAL_MODULE = 'internal/test/binding'
/** Out of the way: our limit is lower. */
const MAX_HEAD_BYTES = 1 << 20

const binding = load()
const parser = new binding.HTTPParser()

/** The methods llhttp takes over HTTP. */
export const METHODS: ReadonlySet<string> = new Set(binding.methods)

export function run(kind: HeadKind, bytes: Buffer): Run {
  const { HTTPParser } = binding
  const messages: Message[] = []
  let pending: string[] = []
  let target = ''
  let open: Message | null = null

  parser.initialize(constant(kind === 'request' ? 'REQUEST' : 'RESPONSE'), {}, MAX_HEAD_BYTES, 0)
  parser[constant('kOnHeaders')] = (flat: string[], url: string) => {
    pending.push(...flat)
    target += url
    return 0
  }
  parser[constant('kOnHeadersComplete')] = (
    major: number,
    minor: number,
    flat: string[] | undefined,
    method: number | null,
    url: string | undefined,
    status: number | null,
    reason: string | null,
    upgrade: boolean,
    keepAlive: boolean,
  ) => {
    open = {
      major,
      minor,
      method: method === null ? '' : (binding.allMethods[method] ?? ''),
      target: url ?? target,
      status: status ?? 0,
      reason: reason ?? '',
      fields: pairs([...pending, ...(flat ?? [])]),
      upgrade,
      keepAlive,
      body: '',
      trailers: [],
      complete: false,
    }
    messages.push(open)
    pending = []
    target = ''
    return 0
  }
  parser[constant('kOnBody')] = (chunk: Buffer) => {
    if (open !== null) open.body += chunk.toString('latin1')
    return 0
  }
  parser[constant('kOnMessageComplete')] = () => {
    if (open === null) return 0
    open.trailers = pairs(pending)
    open.complete = true
    pending = []
    return 0
  }
  const result = parser.execute(bytes, 0, bytes.length)
  return { messages, error: typeof result === 'number' ? null : `${result.code}: ${result.reason}` }

  function constant(name: string): number {
    const value = HTTPParser[name]
    if (value === undefined) throw new Error(`HTTPParser.${name} is gone`)
    return value
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const result: [string, string][] = []
  for (let index = 0; index + 1 < flat.length; index += 2)
    result.push([flat[index] ?? '', flat[index + 1] ?? ''])
  return result
}

function load(): Binding {
  const require = createRequire(import.meta.url)
  // Internal modules have no types.
  const { internalBinding } = require(INTERNAL_MODULE) as { internalBinding(name: string): unknown }
  return internalBinding('http_parser') as Binding
}
