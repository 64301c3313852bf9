import { looksLikeApiKey } from '../api-keys/key-text.ts'
import { parseJsonObject } from '../jwt/json-object.ts'
import { parseJws } from '../jwt/jws.ts'
import { systemClock } from '../lib/clock.ts'
import type { Arguments } from './arguments.ts'
import { optionValue } from './arguments.ts'
import { loadSettings } from './load-settings.ts'
import type { ProcessEdge } from './process-edge.ts'
import { distance, moment } from './time-text.ts'
import { judgeToken, type TokenVerdict } from './token-verdict.ts'

type Claims = Readonly<Record<string, unknown>>

interface Inspected {
  readonly header: object
  readonly claims: Claims
  readonly verdict: TokenVerdict
}

const TIMES: readonly (readonly [string, string])[] = [
  ['iat', 'issued'],
  ['nbf', 'good from'],
  ['exp', 'good until'],
]

/** Says what a token holds and what the gateway would make of it. Exits 1 where it is none. */
export async function tokenInspect(edge: ProcessEdge, given: Arguments): Promise<void> {
  const [operand = ''] = given.operands
  const text = (operand === '-' ? edge.readInput() : operand).trim().replace(/^Bearer\s+/i, '')
  if (looksLikeApiKey(text))
    return refuse(edge, 'that is an API key and no token; nyro apikey list shows whose')
  const jws = parseJws(text)
  const claims = jws === null ? null : (parseJsonObject(jws.payload) as Claims | null) // text keys, out of JSON
  if (jws === null || claims === null) {
    return refuse(
      edge,
      'that is no token: expected three parts in base64url with dots between, JSON in the first two',
    )
  }
  const loaded = await loadSettings(edge, optionValue(given, 'config'))
  const nowS = systemClock.wallMs() / 1_000
  const verdict: TokenVerdict =
    loaded.config === null
      ? {
          believed: null,
          issuer: null,
          reason: `there is no configuration to judge it by: ${loaded.problems[0] ?? ''}`,
        }
      : await judgeToken(jws, loaded.config.identity.issuers, nowS)
  const told: Inspected = { header: jws.header, claims, verdict }
  if (operand !== '-')
    edge.complain(
      'note: a token is a credential, and this one is in the history of your shell now; - reads it from standard input\n',
    )
  edge.print(given.options.has('json') ? `${JSON.stringify(told, null, 2)}\n` : textOf(told, nowS))
}

function refuse(edge: ProcessEdge, fault: string): never {
  edge.complain(`nyro: ${fault}\n`)
  return edge.exit(1)
}

function textOf({ header, claims, verdict }: Inspected, nowS: number): string {
  const times = TIMES.flatMap(([name, words]) => {
    const atS = claims[name]
    return typeof atS === 'number' ? [`  ${words} ${moment(atS)}, ${distance(atS, nowS)}\n`] : []
  })
  return [
    `Header\n${members(header)}`,
    `Claims\n${members(claims)}`,
    ...(times.length === 0 ? [] : [`Times\n${times.join('')}`]),
    `Verdict\n  ${verdictLine(verdict)}\n`,
  ].join('')
}

/** A claim is anybody's: what it holds must not steer a terminal, and JSON leaves C1 controls as they are. */
function members(part: object): string {
  return Object.entries(part)
    .map(([name, value]) =>
      `  ${JSON.stringify(name).slice(1, -1)}: ${JSON.stringify(value)}\n`.replaceAll(
        /[^\n\P{Cc}]/gu,
        '\uFFFD',
      ),
    )
    .join('')
}

function verdictLine({ believed, issuer, reason }: TokenVerdict): string {
  if (believed === null) return `not judged: ${reason}`
  return `${believed ? 'believed' : 'refused'}${issuer === null ? '' : ` by ${issuer}`}: ${reason}`
}
