import assert from 'node:assert/strict'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { prefix, SETTINGS } from '../../src/config/setting.ts'
import { loadVerificationKey } from '../../src/jwt/key.ts'

/** Long enough for every algorithm; no more secret than this file. */
export const STAND_IN_SECRET = 'stands-in-for-a-secret-that-a-deployment-mounts-and-is-long-enough-for-HS512'

/**
 * The config that the product loads in a container with these variables and these files, by absolute path. Anything
 * that the product would refuse or warn of fails.
 */
export async function loadInContainer(
  env: Readonly<Record<string, string>>,
  files: ReadonlyMap<string, string>,
): Promise<Config> {
  const loaded = await loadConfig(null, {
    env,
    cwd: '/etc/nyro',
    cores: 2,
    readFile: (path) => {
      const text = files.get(path)
      if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
      return new TextEncoder().encode(text)
    },
    checkKey: async (algorithm, key) => {
      loadVerificationKey(algorithm, key)
    },
  })
  if (loaded.config === null) assert.fail(loaded.problems.join('\n'))
  assert.deepEqual(loaded.warnings, [])
  return loaded.config
}

/** Names of variables in a text that look like the product's and that it does not know. */
export function unknownVariables(text: string): readonly string[] {
  return [...text.matchAll(/\bGATEWAY_[A-Z_]+/g)]
    .map(([name]) => name)
    .filter((name) => !Object.hasOwn(SETTINGS, name.slice(prefix.length)))
}
