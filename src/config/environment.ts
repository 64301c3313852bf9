import { hostsOverlap, isLoopback } from './address-format.ts'
import type { Config, RouteConfig, UpstreamConfig } from './config.ts'
import {
  LOG_DEFAULTS,
  ownIssuer,
  ROUTE_DEFAULTS,
  ROUTE_METHODS,
  STORE_DEFAULTS,
  TENANT_DEFAULTS,
  UPSTREAM_DEFAULTS,
} from './default.ts'
import { describeProblem, Findings } from './finding.ts'
import { environmentName } from './format.ts'
import { type JwtKeyReader, readJwtKey } from './jwt-key.ts'
import type { Loaded } from './loaded.ts'
import type { SettingValues } from './setting.ts'
import { describeFound, type ParsedSettings, parseSettings } from './setting-values.ts'
import { collectVariables, type Variables } from './variable.ts'

/** What loading needs from the machine. */
export interface ConfigSource extends JwtKeyReader {
  /** Cores this process may use. */
  readonly cores: number
}

/** The environment door: settings from variables and the text of a `.env` file (null: there is none). */
export async function loadEnvironment(
  real: Readonly<Record<string, string | undefined>>,
  dotenvText: string | null,
  source: ConfigSource,
): Promise<Loaded> {
  const findings = new Findings()
  const variables = collectVariables(real, dotenvText, findings)
  const settings = parseSettings(variables, findings)
  judgeTogether(settings, findings)
  const production = judgeProduction(variables, settings.values, findings)
  const key = await readJwtKey(
    {
      secret: variables.get('JWT_SECRET'),
      file: variables.get('JWT_SECRET_FILE'),
      algorithm: settings.failed.has('JWT_ALGORITHM') ? null : settings.values.JWT_ALGORITHM,
      allowWeak: settings.values.JWT_ALLOW_WEAK_SECRET,
    },
    source,
    findings,
  )
  const { problems, warnings } = findings
  if (problems.length > 0 || key === null) {
    const exitCode = problems.some((problem) => problem.kind === 'invalid') ? 2 : 1
    return { config: null, problems: problems.map(describeProblem), exitCode, warnings, files: [] }
  }
  return {
    config: build(settings.values, key, { production, cores: source.cores }),
    warnings,
    files: [],
  }
}

/** Rules between settings. Each is left out if one of its settings is bad in itself. */
function judgeTogether({ values, failed }: ParsedSettings, findings: Findings): void {
  if (!failed.has('ADMIN_TOKEN') && values.ADMIN_TOKEN === null && !isLoopback(values.ADMIN_HOST)) {
    findings.invalid(
      'GATEWAY_ADMIN_TOKEN',
      `is not set while GATEWAY_ADMIN_HOST is ${values.ADMIN_HOST}`,
      'a token where others can reach the operator listener',
      'Set it, or leave GATEWAY_ADMIN_HOST at 127.0.0.1.',
    )
  }
  const samePort = values.PORT !== 0 && values.PORT === values.ADMIN_PORT && !failed.has('PORT')
  if (samePort && !failed.has('ADMIN_PORT') && hostsOverlap(values.HOST, values.ADMIN_HOST)) {
    findings.invalid(
      'GATEWAY_ADMIN_PORT',
      `is ${values.ADMIN_PORT}, like GATEWAY_PORT`,
      'a port of its own for the operator listener',
      'Change one of the two.',
    )
  }
  if (values.SHUTDOWN_DELAY > 0 && values.SHUTDOWN_DELAY >= values.SHUTDOWN_TIMEOUT) {
    findings.warn(
      'GATEWAY_SHUTDOWN_DELAY is not shorter than GATEWAY_SHUTDOWN_TIMEOUT: the process ends before its listeners ' +
        'close, and breaks what still runs.',
    )
  }
}

/** The original read the variable without the prefix; either may say so. */
function judgeProduction(variables: Variables, values: SettingValues, findings: Findings): boolean {
  const bare = variables.get('bare ENVIRONMENT')
  if (bare === undefined) return values.ENVIRONMENT === 'production'
  const parsed = environmentName.parse(bare.text.trim())
  if (!parsed.fits) return values.ENVIRONMENT === 'production'
  if (parsed.warning !== null) findings.warn(`${bare.spelling} ${describeFound(bare, {})}. ${parsed.warning}`)
  return values.ENVIRONMENT === 'production' || parsed.value === 'production'
}

function build(
  values: SettingValues,
  key: string,
  source: { readonly production: boolean; readonly cores: number },
): Config {
  const { production, cores } = source
  const upstream = (name: string, url: string): UpstreamConfig => ({
    ...UPSTREAM_DEFAULTS,
    name,
    endpoints: [{ url }],
    connections: {
      ...UPSTREAM_DEFAULTS.connections,
      max: values.HTTP_CLIENT_MAX_CONNECTIONS,
      idle: values.HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS,
    },
    timeouts: {
      ...UPSTREAM_DEFAULTS.timeouts,
      connectMs: values.HTTP_CLIENT_CONNECT_TIMEOUT,
      headMs: values.HTTP_CLIENT_TIMEOUT,
      idleMs: values.HTTP_CLIENT_TIMEOUT,
    },
  })
  const route = (name: string, path: string, auth: RouteConfig['auth']): RouteConfig => ({
    ...ROUTE_DEFAULTS,
    name,
    match: { hosts: [], path, methods: ROUTE_METHODS, headers: [], query: [] },
    ending: { kind: 'forward', upstreams: [{ name, weight: 1 }] },
    auth,
  })
  const upstreams = [
    upstream('ingest', values.INGEST_SERVICE_URL),
    upstream('query', values.QUERY_SERVICE_URL),
  ]
  const routes = [
    route('ingest', `${values.API_V1_STR}/ingest/*`, 'required'),
    route('query', `${values.API_V1_STR}/query/*`, 'required'),
  ]
  if (values.AUTH_SERVICE_URL !== null) {
    upstreams.push(upstream('auth', values.AUTH_SERVICE_URL))
    routes.push(route('auth', '/api/auth/*', 'none'))
  }
  return {
    name: values.PROJECT_NAME,
    production,
    listen: {
      host: values.HOST,
      port: values.PORT,
      timeouts: { headMs: 10_000, bodyMs: values.HTTP_CLIENT_TIMEOUT, idleMs: 75_000 },
      maxConnections: 10_000,
    },
    admin: { host: values.ADMIN_HOST, port: values.ADMIN_PORT, token: values.ADMIN_TOKEN },
    workers: values.WORKERS ?? Math.max(1, cores),
    log: { ...LOG_DEFAULTS, level: values.LOG_LEVEL },
    tracing: null,
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    cors: { origins: values.ALLOWED_ORIGINS ?? (production ? [] : '*'), maxAgeS: 600 },
    shutdown: { delayMs: values.SHUTDOWN_DELAY, timeoutMs: values.SHUTDOWN_TIMEOUT },
    docs: true,
    identity: {
      issuers: [ownIssuer({ key, algorithm: values.JWT_ALGORITHM, clockSkewS: 0 })],
      apiKeys: null,
    },
    store: STORE_DEFAULTS,
    tenant: TENANT_DEFAULTS,
    upstreams,
    routes,
  }
}
