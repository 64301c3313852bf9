import assert from 'node:assert/strict'
import type { Config } from '../../src/config/config.ts'
import { type ConfigSource, loadEnvironment } from '../../src/config/environment.ts'
import type { Loaded } from '../../src/config/loaded.ts'

type Variables = Readonly<Record<string, string | undefined>>

export const STRONG_SECRET = 'a-secret-of-forty-bytes-for-tests-only-0'

/** A machine without files, with three cores, on which every public key loads. */
export const machine: ConfigSource = {
  cores: 3,
  readFile: (path) => {
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
  },
  checkKey: async () => {},
}

/** Loads exactly these variables. */
export function load(
  variables: Variables,
  dotenvText: string | null = null,
  source: Partial<ConfigSource> = {},
): Promise<Loaded> {
  return loadEnvironment(variables, dotenvText, { ...machine, ...source })
}

/** Loads with a usable secret and expects it to succeed. */
export async function accepted(
  variables: Variables,
  dotenvText: string | null = null,
): Promise<{ config: Config; warnings: readonly string[] }> {
  const loaded = await load({ GATEWAY_JWT_SECRET: STRONG_SECRET, ...variables }, dotenvText)
  assert(loaded.config !== null, `refused: ${loaded.config === null ? loaded.problems.join('\n') : ''}`)
  return loaded
}

/** Loads with a usable secret and expects it to be refused. */
export async function refused(
  variables: Variables,
  dotenvText: string | null = null,
  source: Partial<ConfigSource> = {},
): Promise<{ problems: readonly string[]; exitCode: 1 | 2; warnings: readonly string[] }> {
  const loaded = await load({ GATEWAY_JWT_SECRET: STRONG_SECRET, ...variables }, dotenvText, source)
  assert(loaded.config === null, 'the settings were accepted')
  for (const problem of loaded.problems) assert.doesNotMatch(problem, /[\r\n]/)
  return loaded
}
