import type { RouteConfig, UserPolicyConfig } from '../../config/config.ts'
import type { TimerWheel } from '../../http1/timer-wheel.ts'
import type { Clock } from '../../lib/clock.ts'
import { foldName } from '../../lib/fold-name.ts'
import type { Policy } from '../../proxy/policy.ts'
import type { PolicyInstance, PolicyLogLevel, PolicyParts } from './define-policy.ts'
import { type ImportedPolicy, importPolicy, type PolicyImport } from './import-policy.ts'
import { oneLine, type PolicyProblem, withoutValues } from './policy-problem.ts'
import { judgeOptions } from './standard-schema.ts'
import { UserPolicy } from './user-policy.ts'

/** What of a route matters here. */
export type PolicyRoute = Pick<RouteConfig, 'name' | 'policies'>

export interface UserPolicyParts {
  /** The request field that states the tenant, as configured: no policy may own it. */
  readonly tenantField: string
  readonly clock: Clock
  /** Bounds every `admit` that waits. */
  readonly wheel: TimerWheel
  readonly log: (
    level: PolicyLogLevel,
    event: string,
    fields: Readonly<Record<string, string | number | boolean | null>>,
  ) => void
}

/** The user policies of one snapshot in one thread. */
export interface UserPolicies {
  /** All there are; with any, the snapshot is not to be used. */
  readonly problems: readonly PolicyProblem[]
  /** Lower-case names of every request field that one of them states: to be stripped on every route. */
  readonly owned: ReadonlySet<string>
  /** In the route's order; the same instance wherever `use` and `with` are the same. Throws for a route it was not loaded for. */
  policiesOf(route: PolicyRoute): readonly Policy[]
}

const NONE: readonly Policy[] = []
/** What every log line begins with. */
const LINE_KEYS: ReadonlySet<string> = new Set(['timestamp', 'level', 'logger', 'event'])

export const NO_USER_POLICIES: UserPolicies = Object.freeze({
  problems: [],
  owned: new Set<string>(),
  policiesOf: () => NONE,
})

/**
 * Imports and makes the policies that routes name. Files are imported once a thread: changed code needs a restart.
 * Never rejects: whatever an author's code does is a problem.
 */
export async function loadUserPolicies(
  routes: readonly PolicyRoute[],
  parts: UserPolicyParts,
): Promise<UserPolicies> {
  const using = routes.filter(({ policies }) => policies.length > 0)
  if (using.length === 0) return NO_USER_POLICIES
  const loader = new Loader(parts)
  for (const route of using) await loader.take(route)
  return loader
}

class Loader implements UserPolicies {
  readonly problems: PolicyProblem[] = []
  readonly owned = new Set<string>()
  readonly #parts: UserPolicyParts
  readonly #imports = new Map<string, PolicyImport>()
  /** By `use` and `with`; null where there was a problem. */
  readonly #made = new Map<string, UserPolicy | null>()

  constructor(parts: UserPolicyParts) {
    this.#parts = parts
  }

  policiesOf(route: PolicyRoute): readonly Policy[] {
    if (route.policies.length === 0) return NONE
    return route.policies.map((use) => {
      const policy = this.#made.get(keyOf(use)) ?? null
      if (policy === null) throw new Error(`the policies of route ${route.name} were not loaded`)
      return policy
    })
  }

  async take(route: PolicyRoute): Promise<void> {
    const owners = new Map<string, string>()
    for (const [index, use] of route.policies.entries()) {
      const key = keyOf(use)
      if (!this.#made.has(key)) this.#made.set(key, await this.#make(use, { route: route.name, index }))
      const policy = this.#made.get(key) ?? null
      if (policy !== null) this.#own(policy, owners, { route: route.name, index })
    }
  }

  #own(policy: UserPolicy, owners: Map<string, string>, place: Place): void {
    for (const name of policy.owns) {
      this.owned.add(name)
      const folded = foldName(name)
      const other = owners.get(folded)
      if (other === undefined) owners.set(folded, policy.kind)
      else
        this.#problem(
          place,
          ['use'],
          `${policy.kind} owns ${name}, which ${other} of the same route owns; expected one owner: leave one of the two out`,
        )
    }
  }

  async #make(use: UserPolicyConfig, place: Place): Promise<UserPolicy | null> {
    const policy = await this.#import(use.use, place)
    if (policy === null) return null
    const judged = await this.#judge(policy, use.with, place)
    if (judged === null) return null
    const parts = this.#partsOf(policy.kind)
    try {
      const instance: unknown = await policy.create(judged.options, parts)
      if (isInstance(instance)) return new UserPolicy(policy, instance, parts, this.#parts.wheel)
      this.#problem(place, ['use'], 'its create gave no policy; expected { admit, settle? }, both functions')
    } catch (error) {
      const message = withoutValues(error instanceof Error ? error.message : String(error), use.with)
      this.#problem(place, ['use'], `its create failed: ${message}; expected { admit, settle? }`)
    }
    return null
  }

  /** A file's problems are told once, not for each of its uses. */
  async #import(path: string, place: Place): Promise<ImportedPolicy | null> {
    const known = this.#imports.get(path)
    const imported = known ?? (await importPolicy(path, this.#parts.tenantField))
    this.#imports.set(path, imported)
    if (imported.ok) return imported.policy
    if (known === undefined) for (const text of imported.texts) this.#problem(place, ['use'], text)
    return null
  }

  async #judge(
    policy: ImportedPolicy,
    given: unknown,
    place: Place,
  ): Promise<{ readonly options: unknown } | null> {
    const isAbsent = given === null || given === undefined
    if (policy.schema === null || policy.schema === undefined) {
      if (isAbsent) return { options: null }
      this.#problem(
        place,
        ['with'],
        `is given, but the policy ${policy.kind} takes none; remove it, or give the policy a schema`,
      )
      return null
    }
    const judged = await judgeOptions(policy.schema, isAbsent ? {} : given)
    if (judged.ok) return judged
    for (const { path, message } of judged.issues)
      this.#problem(
        place,
        ['with', ...path],
        `is refused by the schema of ${policy.kind}: ${withoutValues(message, given)}`,
      )
    return null
  }

  #partsOf(kind: string): PolicyParts {
    const { clock, log } = this.#parts
    return Object.freeze<PolicyParts>({
      nowMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      log: (level, event, fields = {}) => log(level, oneLine(event), { ...loggable(fields), policy: kind }),
    })
  }

  #problem({ route, index }: Place, path: readonly string[], text: string): void {
    this.problems.push({ route, index, path, text })
  }
}

interface Place {
  readonly route: string
  readonly index: number
}

/** Whatever an author hands over: a line has each key once, and values that JSON has. */
function loggable(
  fields: Readonly<Record<string, unknown>>,
): Record<string, string | number | boolean | null> {
  const lines: Record<string, string | number | boolean | null> = {}
  for (const [name, value] of Object.entries(fields)) {
    const isPlain = value === null || typeof value === 'number' || typeof value === 'boolean'
    lines[LINE_KEYS.has(name) ? `${name}_` : name] = isPlain ? value : String(value)
  }
  return lines
}

function keyOf(use: UserPolicyConfig): string {
  return JSON.stringify([use.use, use.with ?? null])
}

function isInstance(value: unknown): value is PolicyInstance {
  if (typeof value !== 'object' || value === null || !('admit' in value)) return false
  const settle = 'settle' in value ? value.settle : undefined
  return typeof value.admit === 'function' && (settle === undefined || typeof settle === 'function')
}
