import type { Loaded } from '../config/loaded.ts'
import type { PolicyFile } from '../policies/user/policy-file.ts'

/**
 * Loads a config and judges the operator's own policies with it, which is the same for a start and for every reload.
 * The first load is what runs: a policy's file that is another one later is told of, for its code stays as it is.
 */
export class JudgedLoad {
  readonly #load: () => Promise<Loaded>
  #first: readonly PolicyFile[] | null = null

  constructor(load: () => Promise<Loaded>) {
    this.#load = load
  }

  readonly load = async (): Promise<Loaded> => {
    const loaded = await this.#load()
    if (loaded.config === null) return loaded
    const { routes, tenant } = loaded.config
    if (routes.every(({ policies }) => policies.length === 0)) return loaded
    const { judgeUserPolicies } = await import('../policies/user/judge-user-policies.ts')
    const { describePolicyProblem } = await import('../policies/user/policy-problem.ts')
    const judged = await judgeUserPolicies(routes, tenant.header)
    const files = [...new Set([...loaded.files, ...judged.files.map(({ path }) => path)])]
    if (judged.problems.length > 0) {
      const problems = judged.problems.map(describePolicyProblem)
      return { config: null, problems, exitCode: 2, warnings: loaded.warnings, files }
    }
    const warnings = [...loaded.warnings, ...(await this.#staleCode(judged.files))]
    return { ...loaded, files, warnings }
  }

  async #staleCode(files: readonly PolicyFile[]): Promise<readonly string[]> {
    const { changedPolicyFiles } = await import('../policies/user/policy-file.ts')
    this.#first ??= files
    const changed = changedPolicyFiles(this.#first, files)
    const known = new Set(this.#first.map(({ path }) => path))
    this.#first = [...this.#first, ...files.filter(({ path }) => !known.has(path))]
    return changed.map((path) => `${path} has changed; its code stays as it is until a restart`)
  }
}
