import { addressBlocks, listenHost, port } from './address-format.ts'
import {
  anything,
  bearerToken,
  choice,
  environmentName,
  type Format,
  filePath,
  flag,
  folderPath,
  line,
  logLevel,
  seconds,
  wholeNumber,
} from './format.ts'
import { jwtAlgorithms } from './jwt-key.ts'
import { corsOrigins, pathPrefix, upstreamUrl } from './url-format.ts'

/** `never`: not a character of it is printed. `path`: printed only if it looks like a path, for secrets get pasted there. */
export type Secrecy = 'open' | 'path' | 'never'

/** One variable, without its prefix: the table below is the only definition of what the environment may say. */
export interface Setting<T, Fallback extends string | null> {
  readonly format: Format<T>
  /** The default, written as an operator would; null where there is none or it is computed. */
  readonly fallback: Fallback
  /** What stands in the docs where `fallback` is null. */
  readonly unset?: string
  readonly unit?: string
  readonly secrecy?: Secrecy
  /** For docs/configuration.md: Markdown, sentences. */
  readonly meaning: string
}

function setting<T, const Fallback extends string | null>(
  definition: Setting<T, Fallback>,
): Setting<T, Fallback> {
  return definition
}

export const prefix = 'GATEWAY_'

export const SETTINGS = {
  PROJECT_NAME: setting({
    format: line,
    fallback: 'Nyro API Gateway',
    meaning: 'Shown in `/`, `/health`, the docs pages and logs.',
  }),
  API_V1_STR: setting({
    format: pathPrefix,
    fallback: '/api/v1',
    meaning: 'Prefix of the proxied routes `…/ingest/*` and `…/query/*`.',
  }),
  INGEST_SERVICE_URL: setting({
    format: upstreamUrl,
    fallback: 'http://ingest-api-service.nyro-develop.svc.cluster.local:80',
    meaning: 'Upstream of `{API_V1_STR}/ingest/*`. A base path is put before the received path.',
  }),
  QUERY_SERVICE_URL: setting({
    format: upstreamUrl,
    fallback: 'http://query-service.nyro-develop.svc.cluster.local:80',
    meaning: 'Upstream of `{API_V1_STR}/query/*`. A base path is put before the received path.',
  }),
  AUTH_SERVICE_URL: setting({
    format: upstreamUrl,
    fallback: null,
    unset: 'none: no such route',
    meaning: 'When set, `/api/auth/*` is proxied there, with no token needed and no tenant stated.',
  }),
  JWT_SECRET: setting({
    format: anything,
    fallback: null,
    unset: 'none: one of the two is needed',
    secrecy: 'never',
    meaning:
      'The HMAC secret the tokens are signed with, byte for byte (white space counts), or a PEM public key for the ' +
      'other algorithms (`\\n` may stand for its line breaks). At least as many bytes as the hash has: 32 for ' +
      'HS256, 48 for HS384, 64 for HS512 (RFC 7518 section 3.2). Empty, published or short secrets and a PEM with ' +
      'an HS algorithm are refused.',
  }),
  JWT_SECRET_FILE: setting({
    format: filePath,
    fallback: null,
    unset: 'none',
    secrecy: 'path',
    meaning:
      'A file that holds the same instead, in UTF-8; one line break at its end is dropped. ' +
      'Setting both is refused.',
  }),
  JWT_ALGORITHM: setting({
    format: choice(jwtAlgorithms),
    fallback: 'HS256',
    meaning: 'Tokens signed in any other way are refused.',
  }),
  JWT_ALLOW_WEAK_SECRET: setting({
    format: flag,
    fallback: 'false',
    meaning:
      'Turns the refusal of a short HMAC secret into a warning, for installations that must keep one. ' +
      'Whoever holds one token can try short secrets at home until one fits.',
  }),
  LOG_LEVEL: setting({
    format: logLevel,
    fallback: 'INFO',
    meaning: 'The least level that is logged. An unknown one is INFO, with a warning.',
  }),
  HTTP_CLIENT_TIMEOUT: setting({
    format: seconds(1),
    fallback: '60',
    unit: 'seconds',
    meaning:
      "From a request's last byte to the response head; before that, and within bodies, " +
      'the longest pause without progress.',
  }),
  HTTP_CLIENT_CONNECT_TIMEOUT: setting({
    format: seconds(1),
    fallback: '10',
    unit: 'seconds',
    meaning: 'The longest a connection to an upstream may take to open.',
  }),
  HTTP_CLIENT_MAX_CONNECTIONS: setting({
    format: wholeNumber(1, 1_000_000),
    fallback: '100',
    unit: 'connections',
    meaning: 'Open connections per upstream, for the whole process.',
  }),
  HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS: setting({
    format: wholeNumber(0, 1_000_000),
    fallback: '20',
    unit: 'connections',
    meaning:
      'How many of them are kept per upstream once idle for a second. ' +
      'The misspelling `GATEWAY_HTTP_CLIENT_MAX_KEEPALIAS_CONNECTIONS` still works, with a warning.',
  }),
  ALLOWED_ORIGINS: setting({
    format: corsOrigins,
    fallback: null,
    unset: '`*`; in production none',
    meaning:
      'Origins that browsers may call from (CORS). Listed ones may send credentials, `*` never does. ' +
      'To allow none outside production, write `none`.',
  }),
  ENVIRONMENT: setting({
    format: environmentName,
    fallback: 'development',
    meaning:
      '`production` tightens defaults. The variable `ENVIRONMENT`, without the prefix, is read too; ' +
      'if either says production, it is.',
  }),
  HOST: setting({
    format: listenHost,
    fallback: '0.0.0.0',
    meaning: 'Address of the public listener; `::` serves both families.',
  }),
  PORT: setting({
    format: port,
    fallback: '8080',
    meaning: 'Port of the public listener.',
  }),
  ADMIN_HOST: setting({
    format: listenHost,
    fallback: '127.0.0.1',
    meaning: 'Address of the operator listener.',
  }),
  ADMIN_PORT: setting({
    format: port,
    fallback: '9901',
    meaning: 'Port of the operator listener.',
  }),
  ADMIN_TOKEN: setting({
    format: bearerToken,
    fallback: null,
    unset: 'none',
    secrecy: 'never',
    meaning: 'What operators send as Bearer token. Required unless `GATEWAY_ADMIN_HOST` is loopback.',
  }),
  WORKERS: setting({
    format: wholeNumber(1, 1024),
    fallback: null,
    unset: 'number of usable cores',
    unit: 'threads',
    meaning: 'Data-plane threads.',
  }),
  TRUSTED_PROXIES: setting({
    format: addressBlocks,
    fallback: null,
    unset: 'none',
    meaning: 'Peers whose `X-Forwarded-*` fields are believed.',
  }),
  SHUTDOWN_DELAY: setting({
    format: seconds(0),
    fallback: '0',
    unit: 'seconds',
    meaning:
      'From the stop signal, when readiness turns 503, until the listeners close. ' +
      'From 2 on, clients that honour `Connection: close` lose no request.',
  }),
  SHUTDOWN_TIMEOUT: setting({
    format: seconds(0),
    fallback: '30',
    unit: 'seconds',
    meaning: 'From the stop signal until the process ends, whatever still runs.',
  }),
  STATE_DIR: setting({
    format: folderPath,
    fallback: null,
    unset: '`nyro-gateway` in `XDG_STATE_HOME` if that is set, else nothing is kept',
    secrecy: 'path',
    meaning:
      'A folder for what outlasts the process: the last good keys of issuers that publish theirs, so that a restart ' +
      'while they cannot be reached believes the tokens it did before. Made where it is missing; only the owner may ' +
      'write there. It counts with a configuration file too, and a change needs a restart.',
  }),
  CONFIG: setting({
    format: filePath,
    fallback: null,
    unset: 'none',
    secrecy: 'path',
    meaning:
      'A configuration file (`.yaml`, `.yml`, `.json`, `.ts`, `.mts`, `.js`, `.mjs`) instead of these routes; ' +
      '`--config` of `nyro start` wins over it. Then these variables serve only as `${…}` inside it, except HOST, ' +
      'PORT, ADMIN_*, WORKERS, LOG_LEVEL and SHUTDOWN_*, which override it, and STATE_DIR.',
  }),
}

export type SettingName = keyof typeof SETTINGS

type ValueOf<S> =
  S extends Setting<infer T, infer Fallback> ? (Fallback extends string ? T : T | null) : never

/** Every setting, parsed (seconds became milliseconds); null where one without a default is not set. */
export type SettingValues = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]> }

/** Former names that still work, with a warning. */
export const ALIASES: Readonly<Record<string, SettingName>> = {
  HTTP_CLIENT_MAX_KEEPALIAS_CONNECTIONS: 'HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS',
}
