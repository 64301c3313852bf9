import { type CredentialSource, parseCredentialSource } from '../../identity/credential-source.ts'
import type { JwtAlgorithm } from '../../jwt/issuer.ts'
import { addressBlocks } from '../address-format.ts'
import type { RetryCondition } from '../config.ts'
import { type Format, fit, line, misfit } from '../format.ts'
import { parseOrigin } from '../url-format.ts'
import { fieldName, hostName } from './match-format.ts'

/** What stands in lists that the environment writes with commas. */

export const addressBlock: Format<string> = {
  accepts: 'an IP address or CIDR block such as 10.0.0.0/8',
  parse: (text) => {
    const blocks = text.includes(',') ? misfit('Write a list of them.') : addressBlocks.parse(text)
    return blocks.fits ? fit(text) : misfit(text.includes(',') ? blocks.fault : null)
  },
}

export const origin: Format<string> = {
  accepts: 'an origin such as https://app.example.com',
  parse: (text) => {
    if (text.includes(',')) return misfit('Write a list of them.')
    const parsed = parseOrigin(text)
    if (parsed.fits || parsed.fault === null) return parsed
    return misfit(parsed.fault.charAt(0).toUpperCase() + parsed.fault.slice(1))
  },
}

export const anyOrigin: Format<'*'> = {
  accepts: '`*`',
  parse: (text) => (text === '*' ? fit('*') : misfit('Several origins are a list.')),
}

/** RFC 9110 section 15.6: only what says that the upstream failed. */
export const retryCondition: Format<RetryCondition> = {
  accepts: 'connect, reset, or a status from 500 to 599',
  parse: (text) => {
    if (text === 'connect' || text === 'reset') return fit(text)
    return /^5\d\d$/.test(text) ? fit(Number(text)) : misfit()
  },
}

export const redirectStatus: Format<number> = {
  accepts: 'one of 301, 302, 303, 307, 308',
  parse: (text) => (/^30[12378]$/.test(text) ? fit(Number(text)) : misfit()),
}

export type HashKey = 'tenant' | 'subject' | 'ip' | 'path' | { readonly header: string }

export const hashKey: Format<HashKey> = {
  accepts: 'tenant, subject, ip, path, or header:<name>',
  parse: (text) => {
    if (text === 'tenant' || text === 'subject' || text === 'ip' || text === 'path') return fit(text)
    if (!text.startsWith('header:')) return misfit()
    const name = fieldName.parse(text.slice(7))
    return name.fits ? fit({ header: name.value.toLowerCase() }) : misfit()
  },
}

/** Where a credential may be found in a request. */
export const credentialPlace: Format<CredentialSource> = {
  accepts: 'header, subprotocol, cookie:<name> or query:<name>',
  parse: (text) => {
    const source = parseCredentialSource(text)
    return source === null ? misfit() : fit(source)
  },
}

/** RFC 6749 section 3.3. */
export const scope: Format<string> = {
  accepts: 'a scope such as ingest:write: visible ASCII characters but " and \\, without blanks',
  parse: (text) => (/^[!#-[\]-~]{1,256}$/.test(text) ? fit(text) : misfit()),
}

/** They say when a token counts, as numbers: neither who nor what for. */
const TIMES: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat'])

export const claimName: Format<string> = {
  accepts: 'the name of a claim such as company_id',
  parse: (text) => {
    if (TIMES.has(text)) return misfit('That claim is a time, which is judged anyway.')
    return text.length <= 256 ? line.parse(text) : misfit('It is longer than 256 characters.')
  },
}

export const plainHost: Format<string> = {
  accepts: 'a host such as idp.internal',
  parse: (text) => hostName.parse(text),
}

export function isSecretAlgorithm(algorithm: JwtAlgorithm): boolean {
  return algorithm.startsWith('HS')
}

/** A Redis or Valkey server; empty where an unset variable leaves it so. */
export const redisUrl: Format<string> = {
  accepts: 'a URL such as redis://cache:6379 or rediss://user:password@cache:6380/0',
  parse: (text) => {
    if (text === '') return fit(text)
    const url = /^rediss?:\/\/\S+$/.test(text) ? URL.parse(text) : null
    if (url === null || url.hostname === '') return misfit()
    if (!/^(\/\d{0,4})?$/.test(url.pathname))
      return misfit('Behind the host stands the number of a database.')
    if (url.search !== '' || url.hash !== '') return misfit('A query or fragment is not taken.')
    return isDecodable(url.username) && isDecodable(url.password)
      ? fit(text)
      : misfit('A % in a user name or password is written %25.')
  },
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
