import type { Field } from './message.ts'
import { chunked, request } from './raw-client.ts'
import { referenceText } from './reference-data.ts'

interface RecordedBody {
  readonly text?: string
  readonly base64?: string
  readonly len?: number
  readonly head_base64?: string
}

/** An exchange recorded from the original gateway. */
export interface RecordedCase {
  readonly id: string
  readonly config: string
  readonly kind: 'ok' | 'questionable' | 'artefact'
  readonly note: string
  readonly request: {
    readonly method?: string
    readonly target?: string
    readonly headers?: readonly Field[]
    readonly raw?: string
    readonly body?: RecordedBody
    readonly body_framing?: 'content-length' | 'chunked'
  }
  /** Without a status where the client left before there was one. */
  readonly response: {
    readonly status?: number
    readonly headers?: readonly Field[]
    readonly framing?: string
    readonly complete?: boolean
    readonly body?: RecordedBody
  }
  readonly upstream_saw: readonly {
    readonly upstream: string
    readonly method: string
    readonly target: string
    readonly headers: readonly Field[]
    readonly framing?: string
    readonly body_len?: number
    readonly body_sha256?: string
  }[]
}

export interface Recording {
  readonly configs: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly cases: readonly RecordedCase[]
}

/** Null where the recording did not come with this checkout. */
export function recording(): Recording | null {
  const text = referenceText('reference/contract-cases.jsonl')
  if (text === null) return null
  const [meta, ...cases] = text.trim().split('\n')
  return {
    configs: (JSON.parse(meta ?? '{}') as Recording).configs,
    cases: cases.map((line) => JSON.parse(line) as RecordedCase),
  }
}

export function methodOf({ request }: RecordedCase): string {
  return request.method ?? request.raw?.split(' ')[0] ?? ''
}

export function targetOf({ request }: RecordedCase): string {
  return whole(request.target ?? request.raw?.split(' ')[1] ?? '')
}

/** The bytes the client of the recording sent. */
export function requestBytes(recorded: RecordedCase): Buffer {
  const { raw, headers = [], body, body_framing } = recorded.request
  if (raw !== undefined) return Buffer.from(raw, 'latin1')
  const fields = headers.map(([name, value]): Field => [name, whole(value)])
  const bytes = body === undefined ? null : bodyBytes(body)
  if (bytes !== null && body_framing === 'chunked')
    return request(
      methodOf(recorded),
      targetOf(recorded),
      [...fields, ['Transfer-Encoding', 'chunked']],
      inChunks(bytes),
    )
  return request(methodOf(recorded), targetOf(recorded), fields, bytes)
}

/** A long value was recorded as its beginning, `...<LENGTH chars>`: its last character is repeated up to that length. */
function whole(text: string): string {
  const match = /^(.*)\.\.\.<(\d+) chars>$/s.exec(text)
  const start = match?.[1]
  return start === undefined ? text : start.padEnd(Number(match?.[2]), start.at(-1))
}

/** A long body was recorded by its length and beginning: the bytes 0 to 255 over and over, or zeros. */
function bodyBytes({ text, len = 0, head_base64 = '' }: RecordedBody): Buffer {
  if (text !== undefined) return Buffer.from(text, 'utf8')
  if (Buffer.from(head_base64, 'base64')[1] === 0) return Buffer.alloc(len)
  return Buffer.alloc(
    len,
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
  )
}

function inChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 65_536) parts.push(bytes.subarray(at, at + 65_536))
  return chunked(parts)
}
