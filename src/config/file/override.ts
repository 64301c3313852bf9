import type { LogLevel } from '../config.ts'
import { describeProblem, Findings } from '../finding.ts'
import type { SettingName, SettingValues } from '../setting.ts'
import { parseSettings } from '../setting-values.ts'
import { collectVariables, type VariableName, type Variables } from '../variable.ts'
import type { Report } from './report.ts'
import type { FileSource } from './source.ts'

/** Variables that win over a file. */
export const OVERRIDING = [
  'HOST',
  'PORT',
  'ADMIN_HOST',
  'ADMIN_PORT',
  'ADMIN_TOKEN',
  'WORKERS',
  'LOG_LEVEL',
  'SHUTDOWN_DELAY',
  'SHUTDOWN_TIMEOUT',
] as const satisfies readonly SettingName[]

/** Variables that mean the same beside a file. */
const EFFECTIVE: readonly VariableName[] = ['CONFIG', 'STATE_DIR', 'bare ENVIRONMENT']

type Overriding = (typeof OVERRIDING)[number]

/** What the environment says instead of the file; null where it says nothing. */
export type Overrides = { readonly [Name in Overriding]: SettingValues[Name] | null } & {
  readonly LOG_LEVEL: LogLevel | null
}

/** `interpolated`: variables the file asks for, which therefore have a meaning of their own. */
export function readOverrides(
  source: FileSource,
  interpolated: ReadonlySet<string>,
  report: Report,
): Overrides {
  const findings = new Findings()
  const known = new Set<string>(OVERRIDING)
  const asked = (spelling: string): boolean =>
    interpolated.has(spelling) && !known.has(spelling.toUpperCase().replace('GATEWAY_', ''))
  const env = Object.fromEntries(Object.entries(source.env).filter(([spelling]) => !asked(spelling)))
  const all = collectVariables(env, source.dotenvText, findings)
  const variables: Variables = new Map([...all].filter(([name]) => known.has(name)))
  for (const [name, { spelling }] of all) {
    if (known.has(name) || EFFECTIVE.includes(name) || interpolated.has(spelling)) continue
    findings.warn(`${spelling} has no effect: with a configuration file, what it sets is set there.`)
  }
  const { values, failed } = parseSettings(variables, findings)
  for (const problem of findings.problems) report.problemLine(describeProblem(problem))
  for (const warning of findings.warnings) report.warnLine(warning)
  const given = <Name extends Overriding>(name: Name): SettingValues[Name] | null => {
    const set = variables.get(name)
    return set === undefined || set.text.trim() === '' || failed.has(name) ? null : values[name]
  }
  return {
    HOST: given('HOST'),
    PORT: given('PORT'),
    ADMIN_HOST: given('ADMIN_HOST'),
    ADMIN_PORT: given('ADMIN_PORT'),
    ADMIN_TOKEN: given('ADMIN_TOKEN'),
    WORKERS: given('WORKERS'),
    LOG_LEVEL: given('LOG_LEVEL'),
    SHUTDOWN_DELAY: given('SHUTDOWN_DELAY'),
    SHUTDOWN_TIMEOUT: given('SHUTDOWN_TIMEOUT'),
  }
}
