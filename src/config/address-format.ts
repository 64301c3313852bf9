import { isIP } from 'node:net'
import { type Format, fit, misfit } from './format.ts'

/** An address or name to listen on, as `net.Server.listen` takes it. */
export const listenHost: Format<string> = {
  accepts: 'an IP address or a host name',
  parse: (text) => {
    if (isIP(text) !== 0) return fit(text)
    if (text.startsWith('[')) return misfit('Write an IPv6 address without brackets.')
    if (/^[\d.]+$/.test(text)) return misfit('It is not a complete IPv4 address.')
    if (text.includes(':')) return misfit('It is no IPv6 address; the port has a variable of its own.')
    return text.length <= 253 && /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i.test(text)
      ? fit(text.toLowerCase())
      : misfit()
  },
}

export const port: Format<number> = {
  accepts: 'a port from 0 to 65535 (0 takes a free one)',
  parse: (text) => {
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
    return value <= 65_535 ? fit(value) : misfit()
  },
}

/** Comma-separated addresses and CIDR blocks. */
export const addressBlocks: Format<readonly string[]> = {
  accepts: 'IP addresses and CIDR blocks, separated by commas',
  parse: (text) => {
    const blocks = text.split(',').map((entry) => entry.trim())
    const bad = blocks.findIndex((block) => !isAddressBlock(block))
    if (bad >= 0) return misfit(`Entry ${bad + 1} is not an address or block.`)
    const everyone = blocks.some((block) => block.endsWith('/0'))
    return fit(blocks, everyone ? 'A block ending in /0 believes the forwarding fields of anyone.' : null)
  },
}

function isAddressBlock(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  // A zone (fe80::1%eth0) names an interface, which no block can match on.
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0 || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

/** Only this machine can reach it. A name counts only if it is `localhost`. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  if (family === 4) return host.startsWith('127.')
  return family === 6 && new URL(`http://[${host}]`).hostname === '[::1]'
}

/** Two listeners on the same port would meet. */
export function hostsOverlap(left: string, right: string): boolean {
  if (isWildcard(left) || isWildcard(right)) return true
  return left === right || (isLoopback(left) && isLoopback(right) && [left, right].includes('localhost'))
}

function isWildcard(host: string): boolean {
  const family = isIP(host)
  if (family === 4) return host === '0.0.0.0'
  return family === 6 && new URL(`http://[${host}]`).hostname === '[::]'
}
