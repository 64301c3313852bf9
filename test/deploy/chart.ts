import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from '../budgets/tree.ts'
import { type Definitions, parseTemplate, renderTemplate, type Values } from './go-template.ts'

export const CHART = join(ROOT, 'deploy', 'helm', 'nyro-gateway')
const TEMPLATES = join(CHART, 'templates')

export const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as {
  readonly name: string
  readonly version: string
  readonly appVersion: string
}

export const defaultValues = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Values

export const RELEASE = { Name: 'nyro-gateway', Namespace: 'nyro', Service: 'Helm' }

/** By file name, what `helm template` would make of each template; empty where nothing is left of one. */
export function renderChart(values: Values, release = RELEASE): ReadonlyMap<string, string> {
  const definitions: Definitions = new Map()
  const root = {
    Values: merge(defaultValues, values),
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
    Release: release,
  }
  const parsed = readdirSync(TEMPLATES)
    .sort()
    .map((name) => [name, parseTemplate(readFileSync(join(TEMPLATES, name), 'utf8'), definitions)] as const)
  return new Map(
    parsed
      .filter(([name]) => !name.startsWith('_'))
      .map(([name, nodes]) => [name, renderTemplate(nodes, root, definitions)]),
  )
}

/** As Helm: maps are merged, anything else is replaced. */
function merge(base: Values, over: Values): Values {
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(over)) {
    const known = merged[name]
    merged[name] = isMap(known) && isMap(value) ? merge(known, value) : value
  }
  return merged
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
