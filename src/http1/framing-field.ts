import { isAuthority } from './authority.ts'
import { COMMA, HTAB, SP, TOKEN } from './byte-class.ts'
import { fieldNameHash } from './field-name.ts'
import type { Head } from './head.ts'
import {
  ASKED_CLOSE,
  ASKED_KEEP_ALIVE,
  ASKED_UPGRADE,
  SEEN_OTHER_CODING,
  SEEN_OTHER_EXPECTATION,
  SEEN_TRANSFER_ENCODING,
  SEEN_UPGRADE_FIELD,
} from './parse-state.ts'
import { BAD_CONNECTION, BAD_CONTENT_LENGTH, BAD_HOST, BAD_TRANSFER_ENCODING } from './protocol-error.ts'

const ZERO = 0x30

const HOST = fieldNameHash('host')
const EXPECT = fieldNameHash('expect')
const UPGRADE = fieldNameHash('upgrade')
const CONNECTION = fieldNameHash('connection')
const CONTENT_LENGTH = fieldNameHash('content-length')
const TRANSFER_ENCODING = fieldNameHash('transfer-encoding')

/** 2^53 - 1 has 16 digits; more could only be leading zeros, which nobody needs. */
const MAX_LENGTH_DIGITS = 16

/**
 * Takes note of the field at `slot` of `head.fields` if it says how the message is framed or the connection goes
 * on. Returns 0 or the number of a protocol error. Only the exact name counts: `Content_Length` frames nothing,
 * though it has the hash of the name it may be folded into.
 */
export function interpretField(head: Head, bytes: Uint8Array, base: number, slot: number): number {
  const { fields } = head
  const nameStart = base + (fields[slot] as number)
  const start = base + (fields[slot + 2] as number)
  const end = base + (fields[slot + 3] as number)
  const hash = fields[slot + 4]
  // No two of these names have the same length.
  switch (base + (fields[slot + 1] as number) - nameStart) {
    case 4:
      return hash === HOST && reads(bytes, nameStart, 'host') ? noteHost(head, bytes, start, end, base) : 0
    case 6:
      if (hash !== EXPECT || !reads(bytes, nameStart, 'expect')) return 0
      if (equals(bytes, start, end, '100-continue')) head.expectContinue = true
      else head.seen |= SEEN_OTHER_EXPECTATION
      return 0
    case 7:
      if (hash === UPGRADE && reads(bytes, nameStart, 'upgrade')) head.seen |= SEEN_UPGRADE_FIELD
      return 0
    case 10:
      if (hash !== CONNECTION || !reads(bytes, nameStart, 'connection')) return 0
      return noteConnection(head, bytes, start, end)
    case 14:
      if (hash !== CONTENT_LENGTH || !reads(bytes, nameStart, 'content-length')) return 0
      return noteContentLength(head, bytes, start, end)
    case 17:
      if (hash !== TRANSFER_ENCODING || !reads(bytes, nameStart, 'transfer-encoding')) return 0
      return noteTransferEncoding(head, bytes, start, end)
    default:
      return 0
  }
}

function noteHost(head: Head, bytes: Uint8Array, start: number, end: number, base: number): number {
  // A response has no use for Host; it is a field like any other there.
  if (head.status !== 0) return 0
  if (++head.hosts > 1) return BAD_HOST
  if (start === end) return 0
  if (!isAuthority(bytes, start, end)) return BAD_HOST
  if (head.hostStart < 0) {
    head.hostStart = start - base
    head.hostEnd = end - base
  }
  return 0
}

/** One field, 1*DIGIT, at most 2^53 - 1: no sign, no list, not even of equal members (RFC 9112 section 6.3). */
function noteContentLength(head: Head, bytes: Uint8Array, start: number, end: number): number {
  if (head.contentLength >= 0 || start === end || end - start > MAX_LENGTH_DIGITS) return BAD_CONTENT_LENGTH
  head.paddedLength = bytes[start] === ZERO && end - start > 1
  let length = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return BAD_CONTENT_LENGTH
    length = length * 10 + digit
  }
  if (length > Number.MAX_SAFE_INTEGER) return BAD_CONTENT_LENGTH
  head.contentLength = length
  return 0
}

/**
 * One field, a list of plain tokens. Without `chunked` in the last place and only there the end of the message is
 * in doubt, so what comes behind a `chunked`, an empty member or a parameter is malformed (RFC 9112 section 6.1).
 */
function noteTransferEncoding(head: Head, bytes: Uint8Array, start: number, end: number): number {
  if ((head.seen & SEEN_TRANSFER_ENCODING) !== 0) return BAD_TRANSFER_ENCODING
  head.seen |= SEEN_TRANSFER_ENCODING
  if (endsInTab(bytes, end)) return BAD_TRANSFER_ENCODING
  let chunked = false
  for (let at = start; ; at++) {
    at = skipBlank(bytes, at, end)
    const memberEnd = tokenEnd(bytes, at, end)
    if (memberEnd === at || chunked) return BAD_TRANSFER_ENCODING
    chunked = equals(bytes, at, memberEnd, 'chunked')
    if (!chunked) head.seen |= SEEN_OTHER_CODING
    at = skipBlank(bytes, memberEnd, end)
    if (at === end) break
    if (bytes[at] !== COMMA) return BAD_TRANSFER_ENCODING
  }
  head.chunked = (head.seen & SEEN_OTHER_CODING) === 0
  return 0
}

/** A tab behind the value is lawful white space, but not to every parser: some would not see `chunked` before it. */
function endsInTab(bytes: Uint8Array, valueEnd: number): boolean {
  let at = valueEnd
  while (bytes[at] === SP) at++
  return bytes[at] === HTAB
}

/** A list of tokens, empty members ignored (RFC 9110 sections 5.6.1.2 and 7.6.1). */
function noteConnection(head: Head, bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    at = skipBlank(bytes, at, end)
    const memberEnd = tokenEnd(bytes, at, end)
    if (memberEnd > at) noteConnectionOption(head, bytes, at, memberEnd)
    at = skipBlank(bytes, memberEnd, end)
    if (at < end && bytes[at] !== COMMA) return BAD_CONNECTION
  }
  return 0
}

function noteConnectionOption(head: Head, bytes: Uint8Array, start: number, end: number): void {
  if (equals(bytes, start, end, 'close')) head.seen |= ASKED_CLOSE
  else if (equals(bytes, start, end, 'keep-alive')) head.seen |= ASKED_KEEP_ALIVE
  else if (equals(bytes, start, end, 'upgrade')) head.seen |= ASKED_UPGRADE
  else head.nominates = true
}

function tokenEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && TOKEN[bytes[at] as number] === 1) at++
  return at
}

function skipBlank(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++
  return at
}

function equals(bytes: Uint8Array, start: number, end: number, lowerCase: string): boolean {
  return end - start === lowerCase.length && reads(bytes, start, lowerCase)
}

/**
 * Whether the bytes at `start` are those letters, hyphens and digits in either case. Setting bit 5 folds no other
 * byte that a field line may hold into one of them but CR, which stands in none.
 */
function reads(bytes: Uint8Array, start: number, lowerCase: string): boolean {
  for (let index = 0; index < lowerCase.length; index++) {
    if (((bytes[start + index] as number) | 0x20) !== lowerCase.charCodeAt(index)) return false
  }
  return true
}
