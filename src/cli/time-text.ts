const MS_PER: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** What `secondsOf` takes, for complaints. */
export const DURATION_FORM = 'a duration such as 30m, 8h or 7d'

/** `90s`, `30m`, `8h`, `7d` in seconds; null: it is no such text, or nothing. */
export function secondsOf(text: string): number | null {
  const [, amount = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const seconds = (Number(amount) * (MS_PER[unit] ?? 0)) / 1_000
  return seconds > 0 ? seconds : null
}

/** `2030-01-31T12:00:00Z`; `never` for what has no end. */
export function moment(atS: number): string {
  const date = new Date(atS * 1_000)
  if (Number.isNaN(date.getTime())) return Number.isFinite(atS) ? 'beyond any calendar' : 'never'
  return date.toISOString().replace('.000Z', 'Z')
}

/** `in 58 minutes`, `2 hours ago`, `now`. */
export function distance(atS: number, nowS: number): string {
  const gap = Math.round(atS - nowS)
  if (gap === 0) return 'now'
  return gap > 0 ? `in ${span(gap)}` : `${span(-gap)} ago`
}

/** The largest unit of which there are two, roughly; seconds in. */
export function span(seconds: number): string {
  for (const [name, length] of [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const) {
    if (Math.round(seconds / length) >= 2) return `${Math.round(seconds / length)} ${name}s`
  }
  const whole = Math.round(seconds)
  return whole === 1 ? '1 second' : `${whole} seconds`
}
