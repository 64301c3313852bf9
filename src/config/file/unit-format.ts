import type { QuotaWindow } from '../../limits/calendar.ts'
import type { QuotaNumbers } from '../../limits/quota-rule.ts'
import { describeDuration } from '../described-value.ts'
import { type Format, fit, misfit } from '../format.ts'

/** A day, so that no timer overflows its 31 bits. */
export const LONGEST_TIMER_MS = 86_400_000

const MS_PER: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

const BYTES_PER: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

const PERIOD_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  second: 1_000,
  m: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  day: 86_400_000,
}

/** Milliseconds. */
export function duration(leastMs: number, mostMs = LONGEST_TIMER_MS): Format<number> {
  return {
    accepts: 'a duration such as 250ms, 10s, 5m or 24h',
    parse: (text) => {
      if (/^\d+(\.\d+)?$/.test(text)) return misfit('It has no unit: write ms, s, m or h behind the number.')
      const [, amount = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h)$/.exec(text) ?? []
      const scale = MS_PER[unit]
      if (scale === undefined) return misfit()
      const ms = Math.round(Number(amount) * scale)
      if (ms > mostMs) return misfit(`It is longer than ${describeDuration(mostMs)}.`)
      return ms < leastMs ? misfit(`It is shorter than ${leastMs}ms.`) : fit(ms)
    },
  }
}

/** Bytes. */
export const size: Format<number> = {
  accepts: 'a size such as 512B, 64KiB, 10MiB or 1GiB',
  parse: (text) => {
    const [, amount = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)\s?([KMGT]?i?B)$/i.exec(text) ?? []
    const scale = BYTES_PER[unit]
    if (scale !== undefined) return fit(Math.round(Number(amount) * scale))
    if (/^\d+$/.test(text)) return misfit('It has no unit: write B, KiB, MiB or GiB behind the number.')
    return unit === '' ? misfit() : misfit('Units are B, KiB, MiB, GiB and TiB, in these letters.')
  },
}

export interface Rate {
  readonly amount: number
  readonly periodMs: number
}

export const rate: Format<Rate> = {
  accepts: 'a rate such as 10/s, 600/m or 10000/day',
  parse: (text) => {
    const [, amount = '', period = ''] = /^(\d{1,12})\/([a-z]+)$/.exec(text) ?? []
    const periodMs = Object.hasOwn(PERIOD_MS, period) ? PERIOD_MS[period] : undefined
    if (periodMs === undefined) return misfit()
    return Number(amount) > 0 ? fit({ amount: Number(amount), periodMs }) : misfit('It allows nothing.')
  },
}

export type Quota = QuotaNumbers

const WINDOWS: Readonly<Record<string, QuotaWindow>> = { h: 'hour', hour: 'hour', day: 'day', month: 'month' }

/** What is counted of a window has 30 bits. */
const MOST_QUOTA = 2 ** 30 - 1

/** Windows are those of the UTC calendar. */
export const quota: Format<Quota> = {
  accepts: 'a quota such as 500/hour, 10000/day or 1000000/month',
  parse: (text) => {
    const [, amount = '', period = ''] = /^(\d{1,12})\/([a-z]+)$/.exec(text) ?? []
    const window = Object.hasOwn(WINDOWS, period) ? WINDOWS[period] : undefined
    if (window === undefined) {
      return misfit(Object.hasOwn(PERIOD_MS, period) ? 'Seconds and minutes are for `rate`.' : null)
    }
    const limit = Number(amount)
    if (limit > MOST_QUOTA) return misfit(`It is more than ${MOST_QUOTA}.`)
    return limit > 0 ? fit({ limit, window }) : misfit('It allows nothing.')
  },
}

/** 0 … 1. */
export const share: Format<number> = {
  accepts: 'a share such as 20%',
  parse: (text) => {
    const [, percent] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text) ?? []
    if (percent === undefined) return /^[\d.]+$/.test(text) ? misfit('Write it in percent.') : misfit()
    return Number(percent) <= 100 ? fit(Number(percent) / 100) : misfit('It is more than the whole.')
  },
}

/** The same, or the word `off`, which is null. */
export function orOff<T>(format: Format<T>): Format<T | null> {
  return {
    accepts: `${format.accepts}, or off`,
    parse: (text) => (text === 'off' ? fit(null) : format.parse(text)),
  }
}
