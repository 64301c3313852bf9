import { addressBlocks } from '../address-format.ts'
import type { JwtAlgorithm, RetryCondition } from '../config.ts'
import { type Format, fit, misfit } from '../format.ts'
import { parseOrigin } from '../url-format.ts'
import { fieldName } from './match-format.ts'

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
export const credentialPlace: Format<string> = {
  accepts: 'header, subprotocol, cookie:<name> or query:<name>',
  parse: (text) => (/^(header|subprotocol|(cookie|query):[\w.-]{1,128})$/.test(text) ? fit(text) : misfit()),
}

export function isSecretAlgorithm(algorithm: JwtAlgorithm): boolean {
  return algorithm.startsWith('HS')
}

/** A Redis or Valkey server; empty where an unset variable leaves it so. */
export const redisUrl: Format<string> = {
  accepts: 'a URL such as redis://cache:6379',
  parse: (text) =>
    text === '' || (/^rediss?:\/\/\S+$/.test(text) && URL.canParse(text)) ? fit(text) : misfit(),
}

/** RFC 8414 section 2: https, except towards this machine. */
export const issuerUrl: Format<string> = {
  accepts: 'an https:// URL',
  parse: (text) => {
    const url = URL.parse(text)
    if (url === null || url.username !== '' || url.password !== '') return misfit()
    const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
    return url.protocol === 'https:' || (url.protocol === 'http:' && local) ? fit(text) : misfit()
  },
}
