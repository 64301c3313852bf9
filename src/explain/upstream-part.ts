import type { BalanceConfig, UpstreamConfig } from '../config/config.ts'
import { upstreamUrl } from '../config/upstream-url.ts'
import type { Head } from '../http1/head.ts'
import { machineMs } from '../lib/clock.ts'
import { foldName } from '../lib/fold-name.ts'
import type { Exchange } from '../proxy/exchange.ts'
import type { Origin } from '../proxy/forwarded.ts'
import { asksWebSocket, requestHead } from '../proxy/request-head.ts'
import type { RouteChoice, RouteTarget } from '../proxy/route.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import { UpstreamMemory } from '../upstreams/upstream-memory.ts'
import type { ExplainParts } from './explain.ts'
import type { EndpointExplanation, UpstreamExplanation } from './explanation.ts'

/** What may hold a credential, as upstreams get it: named, not shown. */
const HIDDEN = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key'])

const BALANCE: Readonly<Record<Exclude<BalanceConfig['kind'], 'hash'>, string>> = {
  'least-loaded': 'least-loaded: of two drawn at random the one with fewer exchanges',
  'round-robin': 'round-robin: each in turn',
}

/** The upstream side of an exchange that every policy admitted. */
export function explainUpstream(
  exchange: Exchange,
  head: Head,
  target: RouteTarget,
  origin: Origin,
  parts: ExplainParts,
): UpstreamExplanation {
  const choice = target.choices.reduce((best, next) => (next.weight > best.weight ? next : best))
  const { config } = choice.upstream
  const live = parts.live.find((upstream) => upstream.config.name === config.name)
  const text = headText(exchange, head, choice, origin, config)
  const [requestLine = '', ...lines] = text.split('\r\n').filter((line) => line !== '')
  return {
    choices: shares(target.choices),
    name: config.name,
    balance: config.balance.kind === 'hash' ? describeHash(config.balance) : BALANCE[config.balance.kind],
    endpoints: endpointsOf(config, live, parts),
    requestLine,
    fields: lines.map(shown),
    ...compared(head, lines),
  }
}

function shares(choices: readonly RouteChoice[]): UpstreamExplanation['choices'] {
  const total = choices.reduce((sum, { weight }) => sum + weight, 0)
  return choices.map(({ upstream, weight }) => ({
    name: upstream.name,
    share: total === 0 ? 0 : Math.round((weight / total) * 1_000) / 10,
  }))
}

function headText(
  exchange: Exchange,
  head: Head,
  choice: RouteChoice,
  origin: Origin,
  config: UpstreamConfig,
): string {
  const { authority } = upstreamUrl(config.endpoints[0]?.url ?? '')
  const kind = asksWebSocket(head) ? 'upgrade' : 'plain'
  return requestHead(head, exchange, choice.plan, origin, authority, kind)
}

function describeHash({ on }: BalanceConfig & { readonly kind: 'hash' }): string {
  const what = typeof on === 'string' ? on : `field ${on.header}`
  return `hash: the same ${what} goes to the same endpoint`
}

function endpointsOf(
  config: UpstreamConfig,
  live: LiveUpstream | undefined,
  { memory, clock }: ExplainParts,
): readonly EndpointExplanation[] {
  if (memory === null || !Array.isArray(live?.endpoints)) {
    const state = memory === null ? 'not running' : 'its name is not resolved'
    return config.endpoints.map(({ url }) => ({ target: upstreamUrl(url).target, address: null, state }))
  }
  const { monotonicMs } = clock
  const shared = new UpstreamMemory(memory, null, { monotonicMs, machineMs })
  return live.endpoints.map(({ slot, target, address }) => {
    const { health, breaker, inFlight, duty } = shared.describeEndpoint(slot)
    const said = duty === 'enabled' ? '' : `${duty} by an operator, `
    return { target, address, state: `${said}health ${health}, breaker ${breaker}, ${inFlight} in flight` }
  })
}

function shown(line: string): string {
  const colon = line.indexOf(':')
  return HIDDEN.has(line.slice(0, colon).toLowerCase()) ? `${line.slice(0, colon)}: (not shown)` : line
}

/** Names the client sent that did not pass as they came, and names that came to be on the way. */
function compared(head: Head, lines: readonly string[]): Pick<UpstreamExplanation, 'stripped' | 'asserted'> {
  const sent = fieldsOf(head)
  const passed = new Set(lines)
  const stripped = sent.filter((line) => !passed.has(line)).map(nameOf)
  const received = new Set(sent)
  const asserted = lines.filter((line) => !received.has(line)).map(nameOf)
  const replaced = new Set(asserted.map(foldName))
  return {
    stripped: [...new Set(stripped.filter((name) => !isHost(name, replaced)))],
    asserted: [...new Set(asserted)],
  }
}

/** That Host is replaced goes without saying; it is named among what is stated. */
function isHost(name: string, replaced: ReadonlySet<string>): boolean {
  return name.toLowerCase() === 'host' && replaced.has('host')
}

function fieldsOf(head: Head): string[] {
  return Array.from({ length: head.count }, (_, index) => `${head.name(index)}: ${head.value(index)}`)
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(':'))
}
