import { z } from 'zod'
import type { ClaimValue } from '../../lib/claim.ts'
import { anything, type Format, flag, line, misfit, type Parsed, wholeNumber } from '../format.ts'
import type { Secrecy } from '../setting.ts'
import {
  duration,
  LONGEST_TIMER_MS,
  orOff,
  type Quota,
  quota,
  type Rate,
  rate,
  share,
  size,
} from './unit-format.ts'

/** `${NAME}`, `${NAME:-default}` or `${file:/path}` instead of the value itself. */
export type Reference = `\${${string}}`
export type Duration = `${number}${'ms' | 's' | 'm' | 'h'}` | Reference
export type Size = `${number}${'B' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}` | Reference
export type RateText = `${number}/${'s' | 'second' | 'm' | 'minute' | 'h' | 'hour' | 'day'}` | Reference
export type QuotaText = `${number}/${'h' | 'hour' | 'day' | 'month'}` | Reference
export type Share = `${number}%` | Reference
/** In a TypeScript config a secret is never written out: it is named. */
export type Secret = Reference
/** YAML 1.2 reads on, off, yes and no as text. */
export type Flag = boolean | 'on' | 'off' | Reference

/** What a leaf says of a value it does not take; what was found is told by whoever knows the document. */
export interface Misfit {
  readonly expected: string
  readonly fault: string | null
  readonly secrecy: Secrecy
  /** It is no scalar at all: in a union, another branch is meant. */
  readonly misshapen: boolean
}

interface LeafOptions {
  /** Which scalars are passed to the format, besides text: numbers (`quantity`), or true and false (`flag`). */
  readonly takes?: 'text' | 'quantity' | 'flag'
  readonly secrecy?: Secrecy
  readonly empty?: 'refused' | 'taken'
  /** JSON Schema of what may be written, references apart. */
  readonly json?: Readonly<Record<string, unknown>>
}

const CLAIM_VALUE = 'a text, a number, or true or false'
const REFERENCE = { type: 'string', pattern: '\\$\\{' }

/** One scalar of the schema: written as `I`, judged by a format, which makes it a `T`. */
export function leaf<I, T>(format: Format<T>, options: LeafOptions = {}): z.ZodType<T, I> {
  const { json = { type: 'string' }, secrecy = 'open' } = options
  // Plain text takes a reference as it is.
  const plain = json['type'] === 'string' && Object.keys(json).length === 1
  return z
    .custom<I>()
    .transform((value, judged): T => {
      const parsed = isScalar(value) ? parseScalar(value, format, options) : misfit()
      if (parsed.fits) return parsed.value
      const params: Misfit = {
        expected: format.accepts,
        fault: parsed.fault,
        secrecy,
        misshapen: typeof value === 'object' && value !== null,
      }
      judged.addIssue({ code: 'custom', params: { ...params } })
      return z.NEVER
    })
    .meta({ accepts: format.accepts, ...(plain ? json : { anyOf: [json, REFERENCE] }) })
}

type Scalar = string | number | boolean

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function parseScalar<T>(value: Scalar, format: Format<T>, options: LeafOptions): Parsed<T> {
  const { takes = 'text', secrecy = 'open', empty = 'refused' } = options
  if (typeof value === 'number' && takes !== 'quantity') {
    return misfit(format.parse(String(value)).fits ? 'It is read as a number: put it in quotes.' : null)
  }
  if (typeof value === 'boolean' && takes !== 'flag') {
    return misfit(format.parse(String(value)).fits ? `It is read as ${value}: put it in quotes.` : null)
  }
  const text = secrecy === 'never' ? String(value) : String(value).trim()
  return text === '' && empty === 'refused' ? misfit('It is empty.') : format.parse(text)
}

export function text<I extends string = string>(format: Format<string>): z.ZodType<string, I> {
  return leaf(format)
}

export const secretText: z.ZodType<string, Secret> = leaf(
  { ...anything, accepts: 'a secret' },
  // Empty ones are judged with the other bad secrets.
  { secrecy: 'never', empty: 'taken' },
)

const pem: Format<string> = { ...anything, accepts: 'a PEM, or the path of a file that holds one' }

export const pemText: z.ZodType<string, string> = leaf(pem, { secrecy: 'path' })

/** Of a private key not even what looks like its path is shown. */
export const keyText: z.ZodType<string, string> = leaf(pem, { secrecy: 'never' })

export const flagLeaf: z.ZodType<boolean, Flag> = leaf(flag, {
  takes: 'flag',
  json: { enum: [true, false, 'on', 'off'] },
})

export function wholeLeaf(least: number, most: number): z.ZodType<number, number | Reference> {
  return leaf(wholeNumber(least, most), {
    takes: 'quantity',
    json: { type: 'integer', minimum: least, maximum: most },
  })
}

const DURATION = { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h)$' }

/** What is only compared, or waited for in pieces, may be longer than a timer: 20 days. */
export const LONGEST_MEMORY_MS = 20 * 86_400_000

export function durationLeaf(leastMs: number, mostMs = LONGEST_TIMER_MS): z.ZodType<number, Duration> {
  return leaf(duration(leastMs, mostMs), { takes: 'quantity', json: DURATION })
}

export function durationOrOff(leastMs: number): z.ZodType<number | null, Duration | 'off'> {
  return leaf(orOff(duration(leastMs)), {
    takes: 'quantity',
    json: { type: 'string', pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h)|off)$' },
  })
}

export const sizeOrOff: z.ZodType<number | null, Size | 'off'> = leaf(orOff(size), {
  takes: 'quantity',
  json: { type: 'string', pattern: '^(\\d+(\\.\\d+)?([KMGT]i)?B|off)$' },
})

export const rateLeaf: z.ZodType<Rate, RateText> = leaf(rate, {
  json: { type: 'string', pattern: '^\\d+/(s|second|m|minute|h|hour|day)$' },
})

export const quotaLeaf: z.ZodType<Quota, QuotaText> = leaf(quota, {
  json: { type: 'string', pattern: '^\\d+/(h|hour|day|month)$' },
})

export const shareLeaf: z.ZodType<number, Share> = leaf(share, {
  takes: 'quantity',
  json: { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
})

/** One of a closed list. */
export function choiceLeaf<const T extends string>(
  format: Format<T>,
  choices: readonly T[],
): z.ZodType<T, T | Reference> {
  return leaf(format, { json: { enum: choices } })
}

/** A value a claim may have, of the kind it is written in: a claim `5` is not a claim `"5"`. */
export const claimValueLeaf: z.ZodType<ClaimValue, ClaimValue> = z
  .custom<ClaimValue>()
  .transform((value, judged): ClaimValue => {
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
    const parsed = typeof value === 'string' ? parseScalar(value, line, {}) : misfit()
    if (parsed.fits) return parsed.value
    const params: Misfit = {
      expected: CLAIM_VALUE,
      fault: parsed.fault,
      secrecy: 'open',
      misshapen: typeof value === 'object' && value !== null,
    }
    judged.addIssue({ code: 'custom', params: { ...params } })
    return z.NEVER
  })
  .meta({ accepts: CLAIM_VALUE, type: ['string', 'number', 'boolean'] })

/** An object with these keys and no other. Its issues carry the known keys in the place of a message. */
export function section<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, { error: () => Object.keys(shape).join(' ') })
}
