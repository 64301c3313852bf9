import { parseDotenv } from './dotenv.ts'
import { type Findings, shown } from './finding.ts'
import { ALIASES, prefix, SETTINGS, type SettingName } from './setting.ts'
import { nearestName } from './suggestion.ts'

export type VariableSource = 'environment' | '.env'

/** A variable that counts: in force after case, aliases and precedence are settled. */
export interface Variable {
  /** As set: a message names what the operator will search for. */
  readonly spelling: string
  readonly source: VariableSource
  /** As set, untrimmed; possibly empty. */
  readonly text: string
}

export type VariableName = SettingName | 'bare ENVIRONMENT'

export type Variables = ReadonlyMap<VariableName, Variable>

type RawVariables = Readonly<Record<string, string | undefined>>

/** What of the process's variables and of a `.env` file (null: there is none) is meant for the gateway. Real variables win. */
export function collectVariables(
  real: RawVariables,
  dotenvText: string | null,
  findings: Findings,
): Variables {
  const fromFile = dotenvText === null ? {} : parseDotenv(dotenvText)
  return new Map([
    ...collectSource(fromFile, '.env', findings),
    ...collectSource(real, 'environment', findings),
  ])
}

function collectSource(raw: RawVariables, source: VariableSource, findings: Findings): Variables {
  const found = new Map<VariableName, Variable>()
  for (const [spelling, text] of Object.entries(raw)) {
    if (text === undefined) continue
    const upper = spelling.toUpperCase()
    const name = upper === 'ENVIRONMENT' ? 'bare ENVIRONMENT' : recognise(spelling, upper, text, findings)
    if (name === null) continue
    const other = found.get(name)
    if (other !== undefined) {
      // The name as documented wins, whatever the order; of two other spellings the first.
      const [kept, dropped] =
        spelling === canonical(name) ? [spelling, other.spelling] : [other.spelling, spelling]
      findings.warn(`${dropped} is ignored: ${kept} sets the same.`)
      if (kept !== spelling) continue
    }
    found.set(name, { spelling, source, text })
  }
  return found
}

function canonical(name: VariableName): string {
  return name === 'bare ENVIRONMENT' ? 'ENVIRONMENT' : prefix + name
}

/** The setting a variable is meant for; null if it is not the gateway's, or none of its settings. */
function recognise(spelling: string, upper: string, text: string, findings: Findings): SettingName | null {
  if (!upper.startsWith(prefix)) return null
  const name = upper.slice(prefix.length)
  // Kubernetes describes every Service of a namespace to every pod; ours may well be called "gateway".
  if (name.startsWith('SERVICE_') || name.startsWith('PORT_')) return null
  if ((name === 'PORT' || name === 'ADMIN_PORT') && text.includes('://')) {
    findings.warn(
      `${spelling} is ignored: it holds an address, as Kubernetes injects it for a Service of that name.`,
    )
    return null
  }
  if (isSettingName(name)) return name
  const renamed = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
  if (renamed !== undefined) {
    findings.warn(`${spelling} is a former spelling; write ${prefix}${renamed}.`)
    return renamed
  }
  const nearest = prefix + nearestName(name, Object.keys(SETTINGS))
  findings.warn(`${quoteName(spelling)} is unknown and ignored; the nearest known name is ${nearest}.`)
  return null
}

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name)
}

function quoteName(spelling: string): string {
  return /^\w{1,120}$/.test(spelling) ? spelling : shown(spelling, 'open')
}
