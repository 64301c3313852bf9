import { createHmac, randomUUID } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { IssuerConfig } from '../jwt/issuer.ts'
import { systemClock } from '../lib/clock.ts'
import { isTenantText } from '../lib/tenant-text.ts'
import { type Arguments, optionValue } from './arguments.ts'
import type { Command } from './command.ts'
import { DEV_ISSUER_URL, isDevIssuer, mintByDevIssuer } from './dev-issuer-request.ts'
import { loadSettings } from './load-settings.ts'
import type { Minted, MintOrder } from './mint-order.ts'
import { misuse } from './misuse.ts'
import type { ProcessEdge } from './process-edge.ts'
import { describeRefusal } from './refusal.ts'
import { DURATION_FORM, distance, moment, secondsOf } from './time-text.ts'

const TTL_S = 3_600
/** What is minted by hand is forgotten, and nobody takes it back. */
const MAX_TTL_S = 30 * 86_400

type SecretIssuer = IssuerConfig & { readonly keys: { readonly kind: 'secret' } }

/** Signs a token to try with. Exits 1 where it cannot, 2 on misuse. */
export async function tokenMint(
  edge: ProcessEdge,
  given: Arguments,
  commands: readonly Command[],
): Promise<void> {
  const order = orderOf(given, (fault) => misuse(edge, commands, 'token mint', fault))
  const minted = await mint(edge, given, order)
  if (typeof minted === 'string') {
    edge.complain(`nyro: ${minted}\n`)
    return edge.exit(1)
  }
  if (given.options.has('json')) return edge.print(`${JSON.stringify(minted, null, 2)}\n`)
  edge.print(`${minted.token}\n`)
  const { exp } = minted.claims
  const nowS = systemClock.wallMs() / 1_000
  if (edge.isTty && typeof exp === 'number')
    edge.complain(
      `It is a credential of tenant ${order.tenant}; it ends ${moment(exp)}, ${distance(exp, nowS)}.\n`,
    )
}

/** A text is why not. */
async function mint(edge: ProcessEdge, given: Arguments, order: MintOrder): Promise<Minted | string> {
  const wanted = optionValue(given, 'issuer')
  if (wanted !== null && /^https?:/.test(wanted)) {
    return isDevIssuer(wanted)
      ? mintByDevIssuer(wanted, order)
      : `${wanted} is not on this machine, as nyro dev is`
  }
  const file = optionValue(given, 'config')
  const loaded = await loadSettings(edge, file)
  const hasSource = file !== null || wanted !== null || (edge.env['GATEWAY_CONFIG'] ?? '') !== ''
  if (loaded.config === null) {
    if (!hasSource) return mintWithout(order, loaded.problems)
    return describeRefusal('nothing can be signed', loaded.problems, loaded.warnings)
      .trim()
      .replace(/^nyro: /, '')
  }
  const issuer = pickIssuer(loaded.config, wanted)
  if (typeof issuer === 'string') return hasSource ? issuer : mintWithout(order, [issuer])
  if (loaded.config.production && !given.options.has('force'))
    return 'this is a production configuration, whose tokens let in whoever holds them: --force signs nevertheless'
  return mintBySecret(issuer, order)
}

/** `problems`: why there is no secret here. */
async function mintWithout(order: MintOrder, problems: readonly string[]): Promise<Minted | string> {
  const minted = await mintByDevIssuer(DEV_ISSUER_URL, order)
  return typeof minted === 'string'
    ? `${minted}; and there is no secret to sign with: ${problems.join(' ')}`
    : minted
}

/** A text is why there is none. */
function pickIssuer({ identity }: Config, wanted: string | null): SecretIssuer | string {
  const secrets = identity.issuers.filter(isSecretIssuer)
  if (wanted === null) {
    return secrets[0] ?? 'no issuer of the configuration has a secret, and private keys are kept elsewhere'
  }
  const named = identity.issuers.find(({ name }) => name === wanted)
  if (named === undefined) {
    const names = identity.issuers.map(({ name }) => name).join(', ')
    return `the configuration has no issuer called ${wanted}: ${names === '' ? 'there are none' : `there are ${names}`}`
  }
  return secrets.find((issuer) => issuer === named) ?? `${wanted} signs with a private key, which is not here`
}

function isSecretIssuer(issuer: IssuerConfig): issuer is SecretIssuer {
  return issuer.keys.kind === 'secret'
}

/** A text is why not. */
function mintBySecret(issuer: SecretIssuer, order: MintOrder): Minted | string {
  const { algorithms, keys, claims: names, audience } = issuer
  const alg = order.alg ?? algorithms[0] ?? ''
  if (!algorithms.some((known) => known === alg))
    return `${issuer.name} takes no ${alg}: it lists ${algorithms.join(', ')}`
  const nowS = Math.floor(systemClock.wallMs() / 1_000)
  const claims = {
    ...(issuer.issuer === null ? {} : { iss: issuer.issuer }),
    ...(audience[0] === undefined ? {} : { aud: audience[0] }),
    [names.subject]: order.sub,
    [names.tenant]: order.tenant,
    ...(order.scopes.length === 0 ? {} : { [names.scopes]: order.scopes.join(' ') }),
    iat: nowS,
    exp: nowS + order.ttlS,
    jti: randomUUID(),
    ...order.claims,
  }
  const input = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`
  const mac = createHmac(`sha${alg.slice(2)}`, keys.secret)
    .update(input)
    .digest('base64url')
  return { token: `${input}.${mac}`, claims }
}

function orderOf(given: Arguments, refuse: (fault: string) => never): MintOrder {
  const tenant = optionValue(given, 'tenant') ?? refuse('needs --tenant TENANT')
  if (!isTenantText(tenant)) return refuse('takes as --tenant visible ASCII, single spaces inside')
  const ttl = optionValue(given, 'ttl')
  const ttlS = ttl === null ? TTL_S : (secondsOf(ttl) ?? refuse(`takes as --ttl ${DURATION_FORM}`))
  if (ttlS > MAX_TTL_S) return refuse('takes as --ttl at most 30d')
  return {
    tenant,
    sub: optionValue(given, 'sub') ?? 'developer',
    scopes: (given.options.get('scope') ?? [])
      .flatMap((text) => text.split(' '))
      .filter((word) => word !== ''),
    ttlS,
    alg: optionValue(given, 'alg'),
    claims: Object.fromEntries((given.options.get('claim') ?? []).map((text) => claimOf(text, refuse))),
  }
}

function claimOf(text: string, refuse: (fault: string) => never): [string, unknown] {
  const equals = text.indexOf('=')
  if (equals < 1) return refuse('takes as --claim NAME=VALUE')
  return [text.slice(0, equals), claimValue(text.slice(equals + 1))]
}

function claimValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
