import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { ALIASES, prefix, SETTINGS } from '../../src/config/setting.ts'
import { ROOT } from '../budgets/tree.ts'
import { loadInContainer, STAND_IN_SECRET } from './product-environment.ts'

const text = readFileSync(join(ROOT, 'docs', 'migration.md'), 'utf8')

/** The page's YAML blocks that begin with this line. */
function blocks(name: string): readonly string[] {
  return [...text.matchAll(/^```yaml\n(# (\S+)\n[\s\S]*?)^```$/gm)]
    .filter(([, , title]) => title === name)
    .map(([, block = '']) => block)
}

describe('docs/migration.md', () => {
  test('says of every variable where it went', () => {
    const names = [...text.matchAll(/`(GATEWAY_[A-Z_0-9]+)(?:=\w+)?`/g)].map(([, name = '']) => name)
    const known = [...Object.keys(SETTINGS), ...Object.keys(ALIASES)].map((name) => prefix + name)
    assert.deepEqual([...new Set(names)].sort(), known.sort())
  })

  test('shows configurations that load', async () => {
    const configs = blocks('nyro.yaml')
    assert.equal(configs.length, 2)
    for (const config of configs) {
      const env = { GATEWAY_CONFIG: '/etc/nyro/nyro.yaml', GATEWAY_JWT_SECRET: STAND_IN_SECRET }
      const { routes } = await loadInContainer(env, new Map([['/etc/nyro/nyro.yaml', config]]))
      assert.ok(routes.length > 0)
    }
  })

  test('shows the other side in its own language', () => {
    for (const config of blocks('kong.yaml')) assert.equal(parse(config)._format_version, '3.0')
    assert.equal(blocks('kong.yaml').length, 1)
  })
})
