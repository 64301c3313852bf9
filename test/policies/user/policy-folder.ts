import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UserPolicyConfig } from '../../../src/config/config.ts'
import { TimerWheel } from '../../../src/http1/timer-wheel.ts'
import type { PolicyRoute, UserPolicyParts } from '../../../src/policies/user/load-user-policies.ts'
import { ManualTime } from '../../support/manual-time.ts'

/** Policy files an operator wrote, in a folder of their own: no file is imported twice under one name. */
export class PolicyFolder {
  readonly #path = mkdtempSync(join(tmpdir(), 'nyro-policy-'))

  /** Gives the absolute path. */
  write(name: string, ...lines: readonly string[]): string {
    const path = join(this.#path, name)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }

  /** A policy of these members, with `create` giving an admit of that body. */
  policy(name: string, members: string, admit = 'null'): string {
    return this.write(
      name,
      "import { answer, definePolicy, refuse, unavailable } from 'nyro-gateway'",
      `export const made: unknown[] = [answer, refuse, unavailable]`,
      `export const policy = definePolicy<any>({ ${members}, create: (options, parts) => ({ admit: (exchange) => ${admit} }) })`,
    )
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true, force: true })
  }
}

export interface Logged {
  readonly level: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What a thread gives its policies, with time and log in the test's hands. */
export class PolicyStage implements UserPolicyParts {
  readonly time = new ManualTime()
  readonly clock = this.time
  readonly wheel = new TimerWheel(() => this.time.nowMs)
  readonly tenantField = 'X-Company-ID'
  readonly lines: Logged[] = []
  readonly log: UserPolicyParts['log'] = (level, event, fields) => {
    this.lines.push({ level, event, fields })
  };

  [Symbol.dispose](): void {
    this.wheel.stop()
  }
}

export function routeUsing(name: string, ...policies: readonly UserPolicyConfig[]): PolicyRoute {
  return { name, policies }
}
