import { type Findings, shown } from './finding.ts'
import { prefix, SETTINGS, type Setting, type SettingName, type SettingValues } from './setting.ts'
import type { Variable, Variables } from './variable.ts'

export interface ParsedSettings {
  /** A setting that does not parse stands here with its default, so that the others can still be judged. */
  readonly values: SettingValues
  readonly failed: ReadonlySet<SettingName>
}

/** Parses every setting by the table. An empty variable counts as unset; secrets are judged in jwt-key.ts. */
export function parseSettings(variables: Variables, findings: Findings): ParsedSettings {
  const values: Partial<Record<SettingName, unknown>> = {}
  const failed = new Set<SettingName>()
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const definition: Setting<unknown, string | null> = SETTINGS[name]
    values[name] = definition.fallback === null ? null : parseFallback(name, definition, definition.fallback)
    const variable = variables.get(name)
    if (variable === undefined || variable.text.trim() === '') continue
    const text = definition.secrecy === 'never' ? variable.text : variable.text.trim()
    const parsed = definition.format.parse(text)
    if (parsed.fits) {
      values[name] = parsed.value
      if (parsed.warning !== null) {
        findings.warn(`${variable.spelling} ${describeFound(variable, definition)}. ${parsed.warning}`)
      }
      continue
    }
    failed.add(name)
    const found = describeFound(variable, definition)
    const fault = parsed.fault === null ? '' : `${parsed.fault} `
    findings.invalid(variable.spelling, found, definition.format.accepts, fault + describeRemedy(definition))
  }
  // The loop above filled every key of the table with what the key's own format yields.
  return { values: values as SettingValues, failed }
}

/** `is "80800" (in .env)` */
export function describeFound(
  variable: Variable,
  definition: Pick<Setting<unknown, string | null>, 'secrecy'>,
): string {
  const place = variable.source === '.env' ? ' (in .env)' : ''
  return `is ${shown(variable.text.trim(), definition.secrecy ?? 'open')}${place}`
}

function describeRemedy(definition: Setting<unknown, string | null>): string {
  const fallback = definition.fallback ?? definition.unset
  return fallback === undefined ? 'Correct it.' : `Correct it, or remove it for the default (${fallback}).`
}

function parseFallback(
  name: SettingName,
  definition: Setting<unknown, string | null>,
  fallback: string,
): unknown {
  const parsed = definition.format.parse(fallback)
  if (!parsed.fits) throw new Error(`the default of ${prefix}${name} does not fit its own format`)
  return parsed.value
}
