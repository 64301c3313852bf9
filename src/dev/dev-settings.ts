import { Findings } from '../config/finding.ts'
import { prefix, type SettingName } from '../config/setting.ts'
import { collectVariables } from '../config/variable.ts'
import { DEMO_NAMES, type DemoName } from './demo-upstreams.ts'

export interface DevSettings {
  /** The process's variables, with what dev chooses where neither they nor `.env` say otherwise. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Services without a URL of the developer's own. Theirs stays DEMO_URL until they listen. */
  readonly demos: readonly DemoName[]
  readonly hasOwnSecret: boolean
  /** GATEWAY_CONFIG is set. */
  readonly hasConfigFile: boolean
}

/** Stands for a demo service that does not listen yet; the name resolves nowhere (RFC 6761 section 6.4). */
const DEMO_URL = 'http://demo.invalid'

const URL_SETTINGS = {
  ingest: 'INGEST_SERVICE_URL',
  query: 'QUERY_SERVICE_URL',
  auth: 'AUTH_SERVICE_URL',
} as const satisfies Record<DemoName, string>

/**
 * What `nyro dev` sets where the developer did not. `secret` is used where no key is configured; `dotenvText` is null
 * where there is no `.env`.
 */
export function devSettings(env: DevSettings['env'], dotenvText: string | null, secret: string): DevSettings {
  const variables = collectVariables(env, dotenvText, new Findings())
  const textOf = (name: SettingName): string => variables.get(name)?.text.trim() ?? ''
  const demos = DEMO_NAMES.filter((name) => textOf(URL_SETTINGS[name]) === '')
  const hasOwnSecret = textOf('JWT_SECRET') !== '' || textOf('JWT_SECRET_FILE') !== ''
  const isSymmetric = /^(hs|$)/i.test(textOf('JWT_ALGORITHM'))
  const choices: Partial<Record<SettingName, string>> = {
    // The demo login asks for no password, so other machines get in by explicit wish only.
    HOST: '127.0.0.1',
    WORKERS: '2',
    // Ctrl-C is not to wait for a forgotten stream.
    SHUTDOWN_TIMEOUT: '2',
    // A public key cannot be made up: then the settings are refused with the usual words.
    ...(isSymmetric && !hasOwnSecret ? { JWT_SECRET: secret } : {}),
    ...Object.fromEntries(demos.map((name) => [URL_SETTINGS[name], DEMO_URL])),
  }
  const chosen: Record<string, string> = {}
  for (const [name, text] of Object.entries(choices) as [SettingName, string][]) {
    if (textOf(name) === '') chosen[prefix + name] = text
  }
  return {
    env: { ...env, ...chosen },
    demos,
    hasOwnSecret,
    hasConfigFile: textOf('CONFIG') !== '',
  }
}
