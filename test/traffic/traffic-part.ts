import type { Config, RouteConfig, TenantPlanConfig, UpstreamConfig } from '../../src/config/config.ts'
import { STORE_DEFAULTS, TENANT_DEFAULTS } from '../../src/config/default.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { routeTo } from '../support/config-part.ts'
import { type Origin, response } from '../support/origin.ts'
import { type RawClient, request } from '../support/raw-client.ts'
import { bearer, CLAIMS, token } from '../support/token.ts'
import { planeConfig, upstreamConfig } from '../worker/open-plane.ts'

const DAY_MS = 86_400_000

/** Time by hand: buckets are refilled and responses grow long when a test says so. It begins with a day of UTC. */
export class HandClock implements Clock {
  nowMs = 20_000 * DAY_MS
  readonly wallMs = (): number => this.nowMs
  readonly monotonicMs = (): number => this.nowMs - 20_000 * DAY_MS + 1_000
}

/** A plan that does not limit, but for what a test says. */
export function planOf(name: string, own: Partial<TenantPlanConfig> = {}): TenantPlanConfig {
  return { name, rate: null, quota: null, concurrency: null, weight: 1, ...own }
}

export interface TrafficConfig {
  /** The first is the default. */
  readonly plans?: readonly TenantPlanConfig[]
  readonly planOfTenant?: Config['tenant']['planOfTenant']
  readonly redis?: string | null
  readonly upstream?: Partial<UpstreamConfig>
  /** Of `/orders/*`, for who has a token. */
  readonly orders?: Partial<RouteConfig>
  /** Of `/open/*`, for everybody. */
  readonly open?: Partial<RouteConfig>
  readonly own?: Partial<Config>
}

/** Two routes to one upstream, `/orders/*` with a token and `/open/*` without, and what limits them. */
export function trafficConfig(url: string, parts: TrafficConfig = {}): Config {
  const { plans = [], planOfTenant = {}, redis = null } = parts
  return planeConfig(url, {
    tenant: { ...TENANT_DEFAULTS, plans, planOfTenant, defaultPlan: plans[0]?.name ?? null },
    store: { ...STORE_DEFAULTS, redis },
    upstreams: [upstreamConfig(url, parts.upstream)],
    routes: [
      routeTo('orders', '/open/*', 'none', { name: 'open', ...parts.open }),
      routeTo('orders', '/orders/*', 'required', { name: 'orders', ...parts.orders }),
    ],
    ...parts.own,
  })
}

/** A request of a tenant, with the plan its token names where it names one. */
export function asked(tenant: string, target = '/orders/1', plan?: string): Buffer {
  const claims = { ...CLAIMS, company_id: tenant, ...(plan === undefined ? {} : { plan }) }
  return request('GET', target, [bearer(token(claims))])
}

/** Statuses of requests sent one after the other. */
export async function statuses(client: RawClient, bytes: Buffer, count: number): Promise<number[]> {
  const got: number[] = []
  for (let index = 0; index < count; index++) got.push((await client.ask(bytes)).status)
  return got
}

/** Answers only when told to, in the order of arrival. */
export class SlowOrigin {
  readonly #waiting: (() => void)[] = []

  constructor(origin: Origin, answer: string | Buffer = response('200 OK', [], 'ok')) {
    origin.script = async (seen, reply) => {
      await seen.body
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
      await reply.write(answer)
    }
  }

  /** Requests that wait for their answer. */
  get waiting(): number {
    return this.#waiting.length
  }

  answer(count = 1): void {
    for (const resolve of this.#waiting.splice(0, count)) resolve()
  }
}
