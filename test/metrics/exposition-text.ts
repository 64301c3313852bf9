import assert from 'node:assert/strict'

export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly unit: string | null
  readonly samples: readonly ParsedSample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\[\\\\"n])*)"'
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`)
const VALUE = /^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/

const SUFFIXES: Readonly<Record<'prometheus' | 'openmetrics', Readonly<Record<string, readonly string[]>>>> =
  {
    prometheus: { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] },
    openmetrics: {
      counter: ['_total'],
      gauge: [''],
      histogram: ['_bucket', '_sum', '_count'],
      info: ['_info'],
    },
  }

/**
 * Reads an exposition as strictly as either format is written down: every family described once and in one piece, every
 * sample of its family's type, no series twice, histograms whole and cumulative. Asserts where it is anything else.
 */
export function readExposition(
  text: string,
  format: 'prometheus' | 'openmetrics',
): ReadonlyMap<string, ParsedFamily> {
  assert.ok(text.endsWith('\n'), 'the last line ends')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics') assert.equal(lines.pop(), '# EOF', 'OpenMetrics ends in # EOF')
  assert.equal(lines.indexOf('# EOF'), -1)
  const families = new Map<string, ParsedFamily>()
  const series = new Set<string>()
  let family: (ParsedFamily & { readonly samples: ParsedSample[] }) | null = null
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] as string
    if (line.startsWith('#')) {
      const described = describedBy(lines, at, format)
      assert.ok(!families.has(described.family.name), `${described.family.name} is described twice`)
      family = described.family
      families.set(family.name, family)
      at = described.next
      continue
    }
    assert.ok(family !== null, `nothing describes ${line}`)
    const sample = readSample(line)
    const suffix = sample.name.slice(family.name.length)
    assert.ok(sample.name.startsWith(family.name), `${line} stands in ${family.name}`)
    assert.ok(SUFFIXES[format][family.type]?.includes(suffix), `${line} is no ${family.type}`)
    const identity = line.slice(0, line.lastIndexOf(' '))
    assert.ok(!series.has(identity), `${identity} is there twice`)
    series.add(identity)
    if (family.type === 'counter') assert.ok(sample.value >= 0, line)
    if (family.type === 'info') assert.equal(sample.value, 1, line)
    family.samples.push(sample)
    at++
  }
  for (const found of families.values()) {
    assert.ok(found.samples.length > 0, `${found.name} is empty`)
    if (found.type === 'histogram') judgeHistogram(found)
  }
  return families
}

function describedBy(lines: readonly string[], at: number, format: 'prometheus' | 'openmetrics') {
  const help = new RegExp(`^# HELP (${NAME}) (.*)$`).exec(lines[at] ?? '')
  assert.ok(help, `HELP is expected: ${lines[at]}`)
  const [, name = '', words = ''] = help
  const type = new RegExp(`^# TYPE ${name} (counter|gauge|histogram|info)$`).exec(lines[at + 1] ?? '')
  assert.ok(type, `TYPE of ${name} is expected: ${lines[at + 1]}`)
  const unit = /^# UNIT (\S+) (\S+)$/.exec(lines[at + 2] ?? '')
  const [, kind = ''] = type
  if (format === 'prometheus') assert.equal(unit, null, 'the old format knows no units')
  if (unit !== null) {
    assert.equal(unit[1], name)
    assert.ok(name.endsWith(`_${unit[2]}`), `${name} ends in its unit ${unit[2]}`)
  }
  const family = { name, type: kind, help: words, unit: unit?.[2] ?? null, samples: [] as ParsedSample[] }
  return { family, next: at + (unit === null ? 2 : 3) }
}

function readSample(line: string): ParsedSample {
  const parts = SAMPLE.exec(line)
  assert.ok(parts, `no sample: ${line}`)
  const value = parts.at(-1) ?? ''
  assert.match(value, VALUE, line)
  const labels: Record<string, string> = {}
  for (const [, name = '', text = ''] of (parts[2] ?? '').matchAll(new RegExp(LABEL, 'g'))) {
    assert.ok(!(name in labels), `${name} twice: ${line}`)
    labels[name] = text.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return { name: parts[1] ?? '', labels, value: Number(value.replace('Inf', 'Infinity')) }
}

function judgeHistogram({ name, samples }: ParsedFamily): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels))
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map((sample) => Number(sample.labels['le']?.replace('Inf', 'Infinity')))
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, `${name}${labels} has +Inf`)
    for (const [at, bucket] of buckets.entries()) {
      if (at === 0) continue
      assert.ok((bounds[at] as number) > (bounds[at - 1] as number), `bounds of ${name}${labels} grow`)
      assert.ok(bucket.value >= (buckets[at - 1]?.value ?? 0), `counts of ${name}${labels} are cumulative`)
    }
    const count = group.find((sample) => sample.name === `${name}_count`)
    assert.equal(count?.value, buckets.at(-1)?.value, `${name}${labels} counts what is in its buckets`)
    assert.ok(group.some((sample) => sample.name === `${name}_sum`))
  }
}

/** The value of the one series of a family that has these labels, and maybe others. */
export function seriesValue(
  families: ReadonlyMap<string, ParsedFamily>,
  family: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const wanted = Object.entries(labels)
  const found = families
    .get(family)
    ?.samples.filter((sample) => wanted.every(([name, value]) => sample.labels[name] === value))
  assert.ok((found?.length ?? 0) <= 1, `${family} ${JSON.stringify(labels)}: ${found?.length} series`)
  return found?.[0]?.value ?? null
}
