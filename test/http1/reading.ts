import { Head } from '../../src/http1/head.ts'
import {
  INCOMPLETE,
  parseRequestHead,
  parseResponseHead,
  protocolError,
  resetHead,
} from '../../src/http1/head-parser.ts'
import type { ProtocolErrorCode } from '../../src/http1/protocol-error.ts'

export type HeadKind = 'request' | 'response'

/** What was understood of a head, as plain data, so that two readings can be compared. */
export interface Reading {
  readonly outcome: 'read'
  /** Bytes up to and with the empty line. */
  readonly length: number
  /** Method and target, or status and reason. */
  readonly start: readonly [string, string]
  readonly minor: number
  readonly fields: readonly (readonly [string, string])[]
  readonly hashes: readonly number[]
  readonly path: string
  readonly host: string
  readonly contentLength: number
  readonly chunked: boolean
  readonly keepAlive: boolean
  readonly upgrade: boolean
  readonly expectContinue: boolean
  readonly nominates: boolean
}

export interface Refusal {
  readonly outcome: 'refused'
  readonly code: ProtocolErrorCode
  readonly reason: string
}

export type Outcome = Reading | Refusal | { readonly outcome: 'incomplete' }

/** What stands before and behind the bytes given: each of them would go on with some part of a head. */
const NEIGHBOURS = ['\n', 'x', ' ', ':', '\r']

// One head for all, as in a pool: what a message leaves behind must not show in the next.
const pooled = new Head()

/**
 * Parses `bytes` as they would arrive if cut at the given offsets. Every arrival stands in another buffer at another
 * start, between bytes that would be noticed if read.
 */
export function readHead(kind: HeadKind, bytes: Buffer, cuts: readonly number[] = []): Outcome {
  const parse = kind === 'request' ? parseRequestHead : parseResponseHead
  resetHead(pooled)
  let start = 0
  let result = INCOMPLETE
  for (const arrived of [...cuts, bytes.length]) {
    start = (start * 7 + 3) % 11
    const neighbour = NEIGHBOURS[(start + bytes.length) % NEIGHBOURS.length]
    const buffer = Buffer.alloc(start + arrived + 5, neighbour)
    bytes.copy(buffer, start, 0, arrived)
    result = parse(pooled, buffer, start, start + arrived)
    if (result !== INCOMPLETE) break
  }
  if (result === INCOMPLETE) return { outcome: 'incomplete' }
  if (result < 0) return { outcome: 'refused', ...protocolError(result) }
  return {
    outcome: 'read',
    length: result - start,
    start:
      kind === 'request'
        ? [pooled.method, pooled.target]
        : [String(pooled.status), pooled.text.slice(pooled.reasonStart, pooled.reasonEnd)],
    minor: pooled.minor,
    fields: fieldsOf(pooled),
    hashes: Array.from({ length: pooled.count }, (_, index) => pooled.fields[index * 5 + 4] ?? 0),
    path: pooled.path,
    host: pooled.host,
    contentLength: pooled.contentLength,
    chunked: pooled.chunked,
    keepAlive: pooled.keepAlive,
    upgrade: pooled.upgrade,
    expectContinue: pooled.expectContinue,
    nominates: pooled.nominates,
  }
}

export function fieldsOf(head: Head): [string, string][] {
  return Array.from({ length: head.count }, (_, index) => [head.name(index), head.value(index)])
}
