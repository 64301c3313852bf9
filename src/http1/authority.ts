import { COLON, HEX_VALUE, REG_NAME } from './byte-class.ts'

const PERCENT = 0x25
const DOT = 0x2e
const OPENING = 0x5b
const CLOSING = 0x5d
const MAX_PORT = 65535

/**
 * Whether bytes[start, end) is `uri-host [ ":" port ]` (RFC 9110 section 7.2) with a host that is not empty: a
 * reg-name, an IPv4 address or an IPv6 address in brackets. No userinfo, no zone, no IPvFuture. The port may be
 * empty, as the grammar has it, else it is at most five digits and at most 65535.
 */
export function isAuthority(bytes: Uint8Array, start: number, end: number): boolean {
  if (start >= end) return false
  const hostEnd = bytes[start] === OPENING ? literalEnd(bytes, start, end) : regNameEnd(bytes, start, end)
  if (hostEnd === start) return false
  return hostEnd === end || (bytes[hostEnd] === COLON && isPort(bytes, hostEnd + 1, end))
}

/** The offset after the reg-name, or `start` where there is none. */
function regNameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    const byte = bytes[at] as number
    if (REG_NAME[byte] === 1) at++
    else if (byte === PERCENT && at + 2 < end && isHex(bytes, at + 1) && isHex(bytes, at + 2)) at += 3
    else break
  }
  return at
}

/** The offset after the closing bracket, or `start` where it does not close or holds no IPv6 address. */
function literalEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start + 1
  while (at < end && bytes[at] !== CLOSING) at++
  return at < end && isIpv6(bytes, start + 1, at) ? at + 1 : start
}

function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > 5) return false
  let port = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= MAX_PORT
}

/** IPv6address of RFC 3986 section 3.2.2. Reads bytes[end], which is the closing bracket. */
function isIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  let groups = 0
  let compressed = false
  let at = start
  while (at < end) {
    if (bytes[at] === COLON) {
      if (compressed || bytes[at + 1] !== COLON) return false
      compressed = true
      at += 2
      continue
    }
    let digits = 0
    while (digits < 5 && isHex(bytes, at + digits)) digits++
    if (bytes[at + digits] === DOT) {
      if (!isIpv4(bytes, at, end)) return false
      groups += 2
      break
    }
    if (digits === 0 || digits > 4) return false
    groups++
    at += digits
    if (at === end) break
    if (bytes[at] !== COLON) return false
    // One colon separates; two are left for the next turn, which counts them once.
    if (bytes[at + 1] !== COLON && ++at === end) return false
  }
  return compressed ? groups < 8 : groups === 8
}

function isIpv4(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  for (let octets = 0; ; ) {
    const octetStart = at
    let octet = 0
    while (at < end && at - octetStart < 3) {
      const digit = (bytes[at] as number) - 0x30
      if (digit < 0 || digit > 9) break
      octet = octet * 10 + digit
      at++
    }
    const digits = at - octetStart
    if (digits === 0 || octet > 255 || (digits > 1 && bytes[octetStart] === 0x30)) return false
    if (++octets === 4) return at === end
    if (at === end || bytes[at] !== DOT) return false
    at++
  }
}

function isHex(bytes: Uint8Array, at: number): boolean {
  return HEX_VALUE[bytes[at] as number] !== 255
}
