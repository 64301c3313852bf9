import { BUCKET_BOUNDS_S } from './bucket.ts'
import { METRICS, type Metric, type MetricName } from './metric-table.ts'

export type ExpositionFormat = 'prometheus' | 'openmetrics'

export const EXPOSITION_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** Buckets, not cumulative, the last without an upper bound; and the sum of what was observed. */
export interface Histogram {
  readonly buckets: readonly number[]
  readonly sumMs: number
}

/** In both formats alike, or a change of format would begin new series. */
const BOUND_TEXTS: readonly string[] = [
  ...BUCKET_BOUNDS_S.map((bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound))),
  '+Inf',
]

/**
 * Writes metrics as Prometheus text 0.0.4 or OpenMetrics 1.0: a family at a time, each once, its samples right behind
 * it. A family without samples is not there.
 */
export class Exposition {
  readonly #format: ExpositionFormat
  readonly #lines: string[] = []
  #name: MetricName | null = null
  #isOpen = false

  constructor(format: ExpositionFormat) {
    this.#format = format
  }

  family(name: MetricName): void {
    this.#name = name
    this.#isOpen = false
  }

  /** `values`: of the family's labels, in their order. Of what grows, the sum until now. */
  sample(values: readonly string[], value: number): void {
    const { name, metric } = this.#open()
    const suffix = metric.kind === 'counter' ? '_total' : metric.kind === 'info' ? '_info' : ''
    this.#lines.push(`${name}${suffix}${labelText(labelPairs(metric, values))} ${numberText(value)}\n`)
  }

  histogram(values: readonly string[], { buckets, sumMs }: Histogram): void {
    const { name, metric } = this.#open()
    const pairs = labelPairs(metric, values)
    const start = pairs === '' ? '{' : `{${pairs},`
    let count = 0
    for (const [at, bound] of BOUND_TEXTS.entries()) {
      count += buckets[at] ?? 0
      this.#lines.push(`${name}_bucket${start}le="${bound}"} ${numberText(count)}\n`)
    }
    const labels = labelText(pairs)
    this.#lines.push(`${name}_sum${labels} ${numberText(sumMs / 1_000)}\n`)
    this.#lines.push(`${name}_count${labels} ${numberText(count)}\n`)
  }

  /** The whole text; nothing is written after it. */
  end(): string {
    if (this.#format === 'openmetrics') this.#lines.push('# EOF\n')
    return this.#lines.join('')
  }

  #open(): { readonly name: MetricName; readonly metric: Metric } {
    const name = this.#name
    if (name === null) throw new Error('a sample without its family')
    const metric: Metric = METRICS[name]
    if (!this.#isOpen) this.#describe(name, metric)
    this.#isOpen = true
    return { name, metric }
  }

  #describe(name: MetricName, { kind, unit, help }: Metric): void {
    const isOpen = this.#format === 'openmetrics'
    // The older format knows no families: what it describes has the samples' own name, and no facts.
    const described =
      isOpen || kind === 'histogram' || kind === 'gauge' ? name : `${name}_${OLD_ENDINGS[kind]}`
    const type = isOpen || kind !== 'info' ? kind : 'gauge'
    this.#lines.push(`# HELP ${described} ${isOpen ? escaped(help) : help.replaceAll('\\', '\\\\')}\n`)
    this.#lines.push(`# TYPE ${described} ${type}\n`)
    if (isOpen && unit !== null) this.#lines.push(`# UNIT ${described} ${unit}\n`)
  }
}

const OLD_ENDINGS = { counter: 'total', info: 'info' } as const

/**
 * Which of the two a scraper wants. OpenMetrics only where it is asked for by name with version 1.0.0 or none, and not
 * less than plain text is.
 */
export function pickFormat(accept: string): ExpositionFormat {
  let open = 0
  let plain = 0
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const quality = qualityOf(parameters)
    const version = parameters.find((parameter) => parameter.startsWith('version='))?.slice('version='.length)
    if (type === 'application/openmetrics-text') {
      if (version === undefined || version === '1.0.0' || version === '"1.0.0"')
        open = Math.max(open, quality)
    } else if (type === 'text/plain') plain = Math.max(plain, quality)
  }
  return open > 0 && open >= plain ? 'openmetrics' : 'prometheus'
}

function qualityOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = text === undefined ? 1 : Number(text.slice('q='.length))
  return quality >= 0 && quality <= 1 ? quality : 0
}

function labelPairs({ labels }: Metric, values: readonly string[]): string {
  return labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`).join(',')
}

function labelText(pairs: string): string {
  return pairs === '' ? '' : `{${pairs}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}
