import type { Config, RouteConfig } from '../config/config.ts'
import { packageAssets } from '../docs/assets.ts'
import { docsAnswers } from '../docs/pages.ts'
import type { Wire } from '../http1/wire.ts'
import type { Clock } from '../lib/clock.ts'
import type { ThreadMetrics } from '../metrics/thread-metrics.ts'
import { tenantPolicy } from '../policies/tenant.ts'
import { loadUserPolicies, type PolicyRoute } from '../policies/user/load-user-policies.ts'
import { describePolicyProblem } from '../policies/user/policy-problem.ts'
import type { Snapshot } from '../proxy/snapshot.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import type { UpstreamSet } from '../upstreams/upstream-set.ts'
import { SnapshotBuilder } from './compile.ts'
import type { ThreadAssertion } from './thread-assertion.ts'
import type { ThreadIdentity } from './thread-identity.ts'
import type { ThreadLog } from './thread-log.ts'
import type { PreparedTraffic } from './thread-traffic.ts'

export interface PreparerParts {
  readonly clock: Clock
  readonly wire: Wire
  readonly upstreams: UpstreamSet
  readonly identity: ThreadIdentity
  readonly assertion: ThreadAssertion
  readonly log: ThreadLog
  readonly traffic: { prepare(config: Config): PreparedTraffic }
  readonly isReady: () => boolean
  /** Null: nothing is counted. */
  readonly metrics: ThreadMetrics | null
}

/** What is to be known of a config's routes before the first of them comes. */
export interface RoutesAhead {
  /** Of those that name policies of the operator's; one stands for all that name the same. */
  readonly using: readonly PolicyRoute[]
  /** Names of the claims that some route asks about. */
  readonly claims: readonly string[]
}

/** Makes configs ready for a thread, beside the one that is in force. */
export class Preparer {
  readonly #parts: PreparerParts

  constructor(parts: PreparerParts) {
    this.#parts = parts
  }

  /**
   * Begins with a config without its routes. Rejects, with a line for the operator, if a policy of the operator's or a
   * key cannot be had.
   */
  async begin(
    config: Config,
    live: readonly LiveUpstream[],
    { using, claims }: RoutesAhead,
  ): Promise<Preparation> {
    const { clock, wire, upstreams, identity, assertion, log, isReady, metrics } = this.#parts
    const compiled = identity.compile(config, claims)
    const traffic = this.#parts.traffic.prepare(config)
    const user = await loadUserPolicies(using, {
      tenantField: config.tenant.header,
      clock,
      wheel: wire.wheel,
      log: (level, event, fields) => log.log(level, event, fields),
    })
    if (user.problems.length > 0) throw new Error(user.problems.map(describePolicyProblem).join(' | '))
    const described = new DescribedConfig(config)
    const builder = new SnapshotBuilder(config, {
      upstreams: upstreams.prepare(live),
      identity: compiled.parts,
      tenant: tenantPolicy(config.tenant.header),
      assertion: assertion.compile(config.tenant.assertion, user.owned),
      traffic: traffic.policies,
      userPolicies: (route) => user.policiesOf(route),
      userOwned: user.owned,
      docs: docsAnswers(described.config, packageAssets),
      isReady,
      ...(metrics === null ? {} : { seriesOf: metrics.seriesOf }),
    })
    return new Preparation(config, builder, described, () => {
      identity.putInForce(compiled)
      traffic.keep()
    })
  }
}

/**
 * The config as the pages see it that describe it. They are made when first asked for: of the routes that are there by
 * then, which is all of them, and kept as text until somebody wants to read about them.
 */
class DescribedConfig {
  readonly config: Config
  readonly #texts: string[] = []

  constructor(bare: Config) {
    const texts = this.#texts
    this.config = {
      ...bare,
      get routes() {
        return texts.flatMap(routesOf)
      },
    }
  }

  add(text: string): void {
    if (this.config.docs) this.#texts.push(text)
  }
}

/** A config on its way into force in one thread. */
export class Preparation {
  /** Without its routes: they are in the snapshot. */
  readonly config: Config
  readonly #builder: SnapshotBuilder
  readonly #described: DescribedConfig
  readonly #keep: () => void
  #snapshot: Snapshot | null = null

  /** `keep`: what is told once it is in force. */
  constructor(config: Config, builder: SnapshotBuilder, described: DescribedConfig, keep: () => void) {
    this.config = config
    this.#builder = builder
    this.#described = described
    this.#keep = keep
  }

  /** Routes as control sends them: RouteConfig[] as JSON. */
  add(text: string): void {
    this.#builder.add(routesOf(text))
    this.#described.add(text)
  }

  /** No more routes come. */
  finish(): void {
    this.#snapshot = this.#builder.finish()
  }

  /** Once, after `finish`, when it comes into force. */
  take(): Snapshot {
    if (this.#snapshot === null) throw new Error('a config is put in force before it is prepared')
    this.#keep()
    return this.#snapshot
  }
}

function routesOf(text: string): readonly RouteConfig[] {
  return JSON.parse(text) as RouteConfig[] // control made it of those
}
