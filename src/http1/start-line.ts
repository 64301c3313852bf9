import { isAuthority } from './authority.ts'
import { CR, FIELD_CONTENT, LF, SP, TARGET, TOKEN } from './byte-class.ts'
import type { Head } from './head.ts'
import { AT_LEAD, AT_LINE, IN_METHOD, IN_REASON, IN_TARGET, IN_VERSION, pause } from './parse-state.ts'
import { BAD_START_LINE, BAD_TARGET, TARGET_TOO_LONG, VERSION_UNSUPPORTED } from './protocol-error.ts'

export const MAX_TARGET_BYTES = 16384

/** A robust server skips an empty line before a request-line (RFC 9112 section 2.2); who sends more is no client. */
const MAX_LEAD_BYTES = 8
const STAR = 0x2a
const SLASH = 0x2f
const QUESTION = 0x3f

/** `0` stands for any digit. */
const VERSION_AND_CRLF = codes('HTTP/0.0\r\n')
const VERSION_AND_STATUS = codes('HTTP/0.0 000')
const HTTP = codes('http://')
const HTTPS = codes('https://')
const CONNECT = codes('CONNECT')
const OPTIONS = codes('OPTIONS')

/**
 * Parses a request-line, from where `head` stands, and leaves `head` at the first field line. Returns a number above
 * 0, INCOMPLETE or the number of a protocol error.
 */
export function parseRequestLine(head: Head, bytes: Uint8Array, start: number, end: number): number {
  let at = start + head.scanned
  if (head.stage === AT_LEAD) {
    while (at < end && bytes[at] === CR) {
      if (at + 1 === end) return pause(head, AT_LEAD, at - start)
      if (bytes[at + 1] !== LF || at - start === MAX_LEAD_BYTES) return BAD_START_LINE
      at += 2
    }
    if (at === end) return pause(head, AT_LEAD, at - start)
    head.lead = at - start
    head.stage = IN_METHOD
  }
  const base = start + head.lead
  if (head.stage === IN_METHOD) {
    while (at < end && TOKEN[bytes[at] as number] === 1) at++
    if (at === end) return pause(head, IN_METHOD, at - start)
    if (bytes[at] !== SP || at === base) return BAD_START_LINE
    head.methodEnd = at - base
    at++
    head.targetStart = at - base
    head.stage = IN_TARGET
  }
  if (head.stage === IN_TARGET) {
    const longest = base + head.targetStart + MAX_TARGET_BYTES
    while (at < end && at <= longest && TARGET[bytes[at] as number] === 1) at++
    if (at > longest) return TARGET_TOO_LONG
    if (at === end) return pause(head, IN_TARGET, at - start)
    if (bytes[at] !== SP || at - base === head.targetStart) return BAD_TARGET
    head.targetEnd = at - base
    at++
    head.stage = IN_VERSION
  }
  const matched = matchTemplate(bytes, at, end, VERSION_AND_CRLF)
  if (matched < 0) return BAD_START_LINE
  if (matched < VERSION_AND_CRLF.length) return pause(head, IN_VERSION, at - start)
  if (!noteVersion(head, bytes, at)) return VERSION_UNSUPPORTED
  if (!noteTarget(head, bytes, base)) return BAD_TARGET
  head.stage = AT_LINE
  head.scanned = at + matched - start
  return at + matched
}

/**
 * Parses a status-line; as above. A missing reason-phrase may lack its space too, as many servers send it.
 * Nothing is skipped before it: bytes between responses are a response out of step.
 */
export function parseStatusLine(head: Head, bytes: Uint8Array, start: number, end: number): number {
  let at = start + head.scanned
  if (head.stage === AT_LEAD) {
    const matched = matchTemplate(bytes, at, end, VERSION_AND_STATUS)
    if (matched < 0) return BAD_START_LINE
    // One byte more tells whether a space and a reason follow.
    if (matched < VERSION_AND_STATUS.length || at + matched === end) return pause(head, AT_LEAD, 0)
    if (!noteVersion(head, bytes, at)) return VERSION_UNSUPPORTED
    const status = threeDigits(bytes, at + 9)
    if (status < 100 || status > 599) return BAD_START_LINE
    head.status = status
    at += matched
    if (bytes[at] === SP) at++
    else if (bytes[at] !== CR) return BAD_START_LINE
    head.reasonStart = at - start
  }
  while (at < end && FIELD_CONTENT[bytes[at] as number] === 1) at++
  if (at === end || (bytes[at] === CR && at + 1 === end)) return pause(head, IN_REASON, at - start)
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return BAD_START_LINE
  head.reasonEnd = at - start
  head.stage = AT_LINE
  head.scanned = at + 2 - start
  return at + 2
}

/** How many bytes of the template are there and match; -1 at the first that does not. */
function matchTemplate(bytes: Uint8Array, at: number, end: number, template: Uint8Array): number {
  const length = Math.min(template.length, end - at)
  for (let index = 0; index < length; index++) {
    const byte = bytes[at + index] as number
    const expected = template[index] as number
    if (expected === 0x30 ? byte < 0x30 || byte > 0x39 : byte !== expected) return -1
  }
  return length
}

function noteVersion(head: Head, bytes: Uint8Array, at: number): boolean {
  head.minor = (bytes[at + 7] as number) - 0x30
  return bytes[at + 5] === 0x31 && head.minor <= 1
}

function threeDigits(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) * 100 + (bytes[at + 1] as number) * 10 + (bytes[at + 2] as number) - 0x30 * 111
}

/**
 * Tells the target's form and where its path is: origin-form, absolute-form of http and https, `*` for OPTIONS
 * (RFC 9112 section 3.2). CONNECT, which alone takes an authority, is not for a gateway.
 */
function noteTarget(head: Head, bytes: Uint8Array, base: number): boolean {
  if (isMethod(head, bytes, base, CONNECT)) return false
  const start = base + head.targetStart
  const end = base + head.targetEnd
  if (bytes[start] === SLASH) return notePath(head, bytes, base, start)
  if (bytes[start] === STAR) {
    head.pathStart = head.targetStart
    head.pathEnd = head.targetEnd
    return end - start === 1 && isMethod(head, bytes, base, OPTIONS)
  }
  const scheme = startsWith(bytes, start, end, HTTP) ? 7 : startsWith(bytes, start, end, HTTPS) ? 8 : 0
  if (scheme === 0) return false
  let at = start + scheme
  while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION) at++
  if (!isAuthority(bytes, start + scheme, at)) return false
  head.hostStart = start + scheme - base
  head.hostEnd = at - base
  return notePath(head, bytes, base, at)
}

function notePath(head: Head, bytes: Uint8Array, base: number, start: number): true {
  const end = base + head.targetEnd
  let at = start
  while (at < end && bytes[at] !== QUESTION) at++
  head.pathStart = start - base
  head.pathEnd = at - base
  return true
}

/** Methods are case-sensitive. */
function isMethod(head: Head, bytes: Uint8Array, base: number, method: Uint8Array): boolean {
  if (head.methodEnd !== method.length) return false
  for (let index = 0; index < method.length; index++) {
    if (bytes[base + index] !== method[index]) return false
  }
  return true
}

/** Schemes are not case-sensitive. `|` folds no byte of a target but letters into these. */
function startsWith(bytes: Uint8Array, start: number, end: number, lowerCase: Uint8Array): boolean {
  if (end - start < lowerCase.length) return false
  for (let index = 0; index < lowerCase.length; index++) {
    if (((bytes[start + index] as number) | 0x20) !== lowerCase[index]) return false
  }
  return true
}

function codes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}
