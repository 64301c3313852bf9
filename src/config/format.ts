import type { LogLevel } from './config.ts'
import { nearestName } from './suggestion.ts'

export type Parsed<T> =
  | {
      readonly fits: true
      readonly value: T
      /** A sentence when the value is taken although doubtful; null otherwise. */
      readonly warning: string | null
    }
  | {
      readonly fits: false
      /** A sentence saying what is wrong, if `accepts` alone does not tell. Never quotes the value. */
      readonly fault: string | null
    }

/** How one kind of value is written. Texts come trimmed and not empty. */
export interface Format<T> {
  /** What is accepted, as a noun phrase: stands in problems and in docs/configuration.md. */
  readonly accepts: string
  parse(text: string): Parsed<T>
}

export function fit<T>(value: T, warning: string | null = null): Parsed<T> {
  return { fits: true, value, warning }
}

export function misfit(fault: string | null = null): Parsed<never> {
  return { fits: false, fault }
}

/** Control characters would tear log lines and pages apart. */
export const line: Format<string> = {
  accepts: 'one line of text',
  parse: (text) => (/\p{Cc}/u.test(text) ? misfit('It holds a control character.') : fit(text)),
}

/** Secrets are judged where their algorithm is known. */
export const anything: Format<string> = { accepts: 'any text', parse: (text) => fit(text) }

export const filePath: Format<string> = { accepts: 'the path of a file', parse: (text) => fit(text) }

export const folderPath: Format<string> = { accepts: 'the path of a folder', parse: (text) => fit(text) }

/** RFC 6750 section 2.1 allows less; whatever fits into the field unambiguously does. */
export const bearerToken: Format<string> = {
  accepts: 'a token of visible ASCII characters',
  parse: (text) =>
    /^[\x21-\x7e]+$/.test(text)
      ? fit(text)
      : misfit('White space, line breaks and other characters cannot stand in an Authorization field.'),
}

export function wholeNumber(least: number, most: number): Format<number> {
  return {
    accepts: `a whole number from ${least} to ${most}`,
    parse: (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      return value >= least && value <= most ? fit(value) : misfit()
    },
  }
}

const longestS = 86_400

/** Seconds as written, milliseconds as parsed; at most a day, so that no timer overflows its 31 bits. */
export function seconds(leastMs: number): Format<number> {
  return {
    accepts: `a number of seconds from ${leastMs / 1000} to ${longestS}, fractions allowed`,
    parse: (text) => {
      if (/^[\d.]+\s*[a-z]+$/i.test(text)) return misfit('Write the number alone, without a unit.')
      if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) return misfit()
      const ms = Math.round(Number(text) * 1000)
      return ms >= leastMs && ms <= longestS * 1000 ? fit(ms) : misfit()
    },
  }
}

/** One of a closed list, letters as written there. */
export function choice<const T extends string>(choices: readonly T[]): Format<T> {
  return {
    accepts: `one of ${choices.join(', ')}`,
    parse: (text) => {
      const value = choices.find((known) => known === text)
      if (value !== undefined) return fit(value)
      const folded = choices.find((known) => known.toLowerCase() === text.toLowerCase())
      return misfit(folded === undefined ? null : `Letter case counts: write ${folded}.`)
    },
  }
}

export const flag: Format<boolean> = {
  accepts: 'true or false',
  parse: (text) => {
    const lower = text.toLowerCase()
    if (['true', '1', 'yes', 'on'].includes(lower)) return fit(true)
    if (['false', '0', 'no', 'off'].includes(lower)) return fit(false)
    return misfit()
  },
}

const levels: Readonly<Record<string, LogLevel>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
}

/** An unknown level must not keep a gateway from starting: it is INFO, and said so. */
export const logLevel: Format<LogLevel> = {
  accepts: `one of ${Object.keys(levels).join(', ')}, in any letter case`,
  parse: (text) => {
    const name = text.toUpperCase()
    const level = Object.hasOwn(levels, name) ? levels[name] : undefined
    if (level !== undefined) return fit(level)
    return fit('info', `INFO is used; the nearest level is ${nearestName(name, Object.keys(levels))}.`)
  },
}

/** Anything may name an environment; what looks like a slip of `production` would quietly loosen defaults. */
export const environmentName: Format<string> = {
  accepts: '`production` (in any letter case), or any other name',
  parse: (text) => {
    const name = text.toLowerCase()
    const slip = name !== 'production' && (name.startsWith('prod') || name === 'prd')
    return fit(name, slip ? 'Only `production` tightens the defaults; this name does not.' : null)
  },
}
