import { foldName } from '../../lib/fold-name.ts'
import { TRACE_FIELDS } from '../../lib/gateway-field.ts'
import type { RouteConfig, UpstreamConfig } from '../config.ts'
import { parseDotenv } from '../dotenv.ts'
import type { Loaded } from '../loaded.ts'
import { loadApiKeys } from './api-key-file.ts'
import { judgeAssertion } from './assertion.ts'
import { hasIdentity, judgeIssuers } from './identity.ts'
import { interpolate, pathKey } from './interpolation.ts'
import { reportIssues } from './issue.ts'
import { type ConfigParts, normalise, normaliseUpstream } from './normalise.ts'
import { checkObserved } from './observe-section.ts'
import { readOverrides } from './override.ts'
import { type Path, type Place, Report } from './report.ts'
import { checkRoute, checkTogether, type RouteSurroundings } from './route-check.ts'
import { normaliseRoute } from './route-config.ts'
import { targetsOf } from './route-meaning.ts'
import type { RouteDocument } from './route-schema.ts'
import { judgeBySchema, type Salvage } from './salvage.ts'
import { checkListeners, checkSections } from './section-check.ts'
import type { FileSource } from './source.ts'
import { Trial } from './trial.ts'
import { checkUpstreams, judgeTls } from './upstream-check.ts'

export interface JudgedDocument {
  /** Plain data; undefined where nothing could be read, and then `faults` say why. */
  readonly value: unknown
  /** As messages call it. */
  readonly label: string
  /** Absolute: relative paths are taken from here. */
  readonly folder: string
  /** Absolute paths of what was read to get here. */
  readonly files: readonly string[]
  readonly faults: readonly { readonly place: Place | null; readonly text: string }[]
  locate(path: Path, end: 'key' | 'value'): Place | null
}

/** References, schema, rules between keys, and then the one shape that every door yields. */
export async function judge(document: JudgedDocument, source: FileSource): Promise<Loaded> {
  const { label, folder, faults } = document
  const env = { ...parseDotenv(source.dotenvText ?? ''), ...definedOf(source.env) }
  const filled = interpolate(document.value, { env, folder, readFile: (path) => source.readFile(path) })
  const report = new Report({
    label,
    locate: (path, end) => document.locate(path, end),
    reference: (path) => filled.references.get(pathKey(path)) ?? null,
  })
  const trial = new Trial(report, source, folder, [...document.files, ...filled.files])
  for (const { place, text } of faults) report.problemAt(place, text)
  const overrides = readOverrides(source, filled.variables, report)
  if (document.value === undefined || document.value === null) {
    if (faults.length === 0) report.problemAt(null, 'is empty; expected `upstreams` and `routes`. Add them.')
    return report.refuse(trial.files)
  }
  for (const { path, ...fault } of filled.faults) report.problem(path, fault)
  const unfilled = new Set(filled.faults.map(({ path }) => pathKey(path)))
  const { issues, salvage } = judgeBySchema(filled.value)
  const isKnown = (path: Path): boolean => unfilled.has(pathKey(path))
  reportIssues(issues, { document: filled.value, report, isKnown })
  const parts = await judgeParts(salvage, unfilled, trial)
  const config = normalise(salvage.sections, {
    ...{ ...parts, overrides, cores: source.cores },
    resolve: (path) => trial.resolve(path),
  })
  if (!salvage.failed.has('admin') && !salvage.failed.has('listen')) checkListeners(config, report)
  if (report.failed) return report.refuse(trial.files)
  return { config, warnings: report.warnings, files: trial.files }
}

/** A variable that is not set must not hide one of `.env`. */
function definedOf(env: FileSource['env']): FileSource['env'] {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}

async function judgeParts(
  salvage: Salvage,
  unfilled: ReadonlySet<string>,
  trial: Trial,
): Promise<Pick<ConfigParts, 'identity' | 'assertion' | 'upstreams' | 'routes'>> {
  const { upstreams, routes } = salvage
  const { report } = trial
  checkSections(salvage, report)
  const { identity, log, tracing } = salvage.sections
  checkObserved(log, tracing, identity.apiKeys?.header ?? null, report)
  const identified = hasIdentity(salvage)
  // What a reference should have given is not judged.
  const tokens = salvage.tokens.map((token, index) =>
    isUnfilled(['identity', 'jwt', index], unfilled) ? null : token,
  )
  const issuers = await judgeIssuers(tokens, identity.claims, trial)
  const plans = Object.keys(salvage.sections.tenant.plans)
  const apiKeys = isUnfilled(['identity', 'apiKeys'], unfilled)
    ? null
    : loadApiKeys(identity.apiKeys, plans, trial)
  checkUpstreams(upstreams, report)
  const surroundings = {
    upstreams,
    hasIdentity: identified,
    owned: ownedFields(salvage),
    hasPlans: plans.length > 0 || salvage.failed.has('tenant'),
  }
  for (const [index, route] of routes.entries()) {
    if (route !== null) checkRoute(route, ['routes', index], surroundings, report)
  }
  checkTogether(routes, report)
  checkUse(salvage, surroundings, report)
  return {
    identity: { issuers, apiKeys },
    assertion: judgeAssertion(salvage.sections.tenant.assertion, statedFields(salvage), trial),
    upstreams: [...upstreams].flatMap(([name, upstream]): UpstreamConfig[] => {
      if (upstream === null) return []
      return [normaliseUpstream(name, upstream, judgeTls(upstream, ['upstreams', name, 'tls'], trial))]
    }),
    routes: routes.flatMap((route, index): RouteConfig[] => {
      if (route === null) return []
      const modules = readModules(route, index, trial)
      return [normaliseRoute(route, { hasIdentity: identified, modules })]
    }),
  }
}

/** Whether a reference below `path` gave nothing. */
function isUnfilled(path: Path, unfilled: ReadonlySet<string>): boolean {
  const prefix = `${pathKey(path)}\u0000`
  return [...unfilled].some((key) => key.startsWith(prefix))
}

function ownedFields(salvage: Salvage): ReadonlyMap<string, string> {
  const { assertion } = salvage.sections.tenant
  const owned = new Map(statedFields(salvage))
  if (assertion !== undefined)
    owned.set(foldName(assertion.header), 'Only what the gateway signed stands there.')
  return owned
}

/** Those of tenants and API keys: folded names, each with what to do instead of changing it. */
function statedFields({ sections }: Salvage): ReadonlyMap<string, string> {
  const { apiKeys } = sections.identity
  const owned = new Map([[foldName(sections.tenant.header), 'Only a verified tenant stands there.']])
  if (apiKeys !== undefined) owned.set(foldName(apiKeys.header), 'It carries keys, which no upstream sees.')
  if (sections.tracing !== undefined) {
    for (const name of TRACE_FIELDS) owned.set(foldName(name), 'Traces are told there; see tracing.')
  }
  return owned
}

/** A module is loaded by the data threads; here only whether it is there counts. */
function readModules(route: RouteDocument, index: number, trial: Trial): readonly string[] {
  return route.policies.map(({ use }, at) => {
    trial.readText(['routes', index, 'policies', at, 'use'], use, 'the module of a policy')
    return trial.resolve(use)
  })
}

function checkUse(
  { upstreams, routes }: Salvage,
  surroundings: Pick<RouteSurroundings, 'hasIdentity'>,
  report: Report,
): void {
  if (routes.length === 0) {
    report.warn(['routes'], 'is empty: the gateway answers nothing but its own endpoints.')
    return
  }
  // Without identity no default protects a route.
  if (
    !surroundings.hasIdentity &&
    routes.some((route) => route !== null && route.auth === undefined && route.redirect === undefined)
  ) {
    report.warn(
      ['routes'],
      'are open to anybody, since no identity is configured; `auth: none` says it is meant so.',
    )
  }
  // A route that is bad in itself may well use them.
  if (routes.includes(null)) return
  const used = new Set(
    routes.flatMap((route) => (route === null ? [] : targetsOf(route).map(({ name }) => name))),
  )
  for (const name of upstreams.keys()) {
    if (!used.has(name)) report.warn(['upstreams', name], 'is used by no route.')
  }
}
