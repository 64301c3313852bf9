import type { RouteCounts } from '../../metrics/route-counts.ts'
import type { LiveUpstream } from '../../upstreams/live-upstream.ts'
import type { AdminFolder, AdminResource, AdminStatus, Product } from '../admin/admin-answer.ts'
import { endpointFolder } from '../admin/endpoint-folder.ts'
import {
  differenceResource,
  drainResource,
  failuresResource,
  tenantsResource,
} from '../admin/live-resource.ts'
import { logLevelResource } from '../admin/log-level-resource.ts'
import { openapiResource } from '../admin/openapi.ts'
import { PageFiles } from '../admin/page-files.ts'
import { describeUpstream } from '../admin/upstreams-resource.ts'
import type { AdmissionDesk } from '../admission-desk.ts'
import type { Assembly } from '../assembly.ts'
import type { ReloadCause, ReloadOutcome } from '../reload.ts'
import type { StartTimer } from '../start-timer.ts'
import { EventStreams } from './event-streams.ts'
import type { FiguresView } from './figures-view.ts'
import { ReloadRecord } from './reload-record.ts'

/** Sent each second; the rest is behind `GET /upstreams`. */
const SHOWN_ENDPOINTS = 200
/** Sent each second, those with most requests. */
const SHOWN_ROUTES = 200

export interface LivePageOptions {
  readonly assembly: Assembly
  readonly product: Product
  readonly status: () => AdminStatus
  readonly drain: () => void
  readonly wallMs: () => number
  readonly startTimer: StartTimer
}

/** The page at `/`, its events, and what the admin API does besides reading the config. */
export class LivePage {
  readonly files = new PageFiles()
  readonly events: EventStreams
  readonly #options: LivePageOptions
  readonly #record: ReloadRecord

  constructor(options: LivePageOptions) {
    const { assembly, wallMs, startTimer } = options
    this.#options = options
    this.#record = new ReloadRecord(wallMs)
    this.events = new EventStreams({
      view: assembly.figures,
      state: () => this.#state(),
      wallMs,
      startTimer,
    })
  }

  /** By path, for the operator listener. */
  resources(): readonly (readonly [string, AdminResource | AdminFolder])[] {
    const { assembly, product, drain } = this.#options
    const { registry, memory, log, figures, admission } = assembly
    const setLevel: typeof assembly.setLogLevel = (level) => {
      assembly.setLogLevel(level)
      this.#record.touch()
    }
    const endpoints = {
      live: () => registry.live,
      setDuty: (slot: number, duty: Parameters<typeof memory.setDuty>[1]) => memory.setDuty(slot, duty),
      log,
    }
    return [
      ['/upstreams/', endpointFolder(endpoints)],
      ['/tenants', tenantsResource(() => tenantsNow(figures, admission))],
      ['/failures', failuresResource(figures)],
      ['/config/difference', differenceResource(this.#record)],
      ['/log-level', logLevelResource(() => assembly.config.log.level, setLevel)],
      ['/drain', drainResource(drain)],
      ['/openapi.json', openapiResource(product.version)],
    ]
  }

  /** What a reload came to. */
  note(cause: ReloadCause, outcome: ReloadOutcome): void {
    this.#record.note(cause, outcome)
  }

  #state(): object {
    const { assembly, product, status } = this.#options
    const { config, figures, metrics, admission, log, upstreamsView } = assembly
    const live = upstreamsView.live()
    const shown = firstUpstreams(live)
    return {
      ...status(),
      name: config.name,
      version: product.version,
      /** Another number: the config, the routes or the last reload are to be read again. */
      configVersion: this.#record.version,
      logLevel: config.log.level,
      droppedLines: log.dropped,
      upstreams: shown.map((upstream) => describeUpstream(upstream, upstreamsView)),
      moreUpstreams: live.length - shown.length,
      tenants: tenantsNow(figures, admission),
      routes: busiest(metrics.routes()).map(totalsOf),
    }
  }
}

/** With how many exchanges of each wait for a place at this moment. */
function tenantsNow(figures: FiguresView, admission: AdmissionDesk): readonly object[] {
  return figures.tenants().map((figure) => ({
    ...figure,
    waiting: figure.tenant === null ? 0 : admission.waitingOf(figure.tenant),
  }))
}

function busiest(routes: readonly RouteCounts[]): readonly RouteCounts[] {
  if (routes.length <= SHOWN_ROUTES) return routes
  return routes.toSorted((one, other) => other.count(null) - one.count(null)).slice(0, SHOWN_ROUTES)
}

/** Since the start; the page makes rates of it. */
function totalsOf(counts: RouteCounts): object {
  const { buckets, sumMs } = counts.histogram('total')
  return {
    route: counts.route,
    requests: counts.count(null),
    clientErrors: counts.count('4xx'),
    serverErrors: counts.count('5xx'),
    /** Tunnels are requests, and not timed. */
    timed: buckets.reduce((sum, one) => sum + one, 0),
    ms: sumMs,
  }
}

function firstUpstreams(live: readonly LiveUpstream[]): readonly LiveUpstream[] {
  let endpoints = 0
  return live.filter((upstream) => {
    endpoints += Array.isArray(upstream.endpoints) ? Math.max(1, upstream.endpoints.length) : 1
    return endpoints <= SHOWN_ENDPOINTS
  })
}
