import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { JudgedLoad } from '../../src/cli/judged-load.ts'
import type { Loaded } from '../../src/config/loaded.ts'
import { routeTo } from '../support/config-part.ts'
import { controlConfig } from '../support/control-config.ts'

const GOOD = `
  import { tag } from './tag.ts'
  export const policy = { kind: tag, create: () => ({ admit: () => null }) }
`

function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'nyro-judged-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = (name: string): string => join(folder, name)
  const write = (name: string, text: string): void => writeFileSync(path(name), text)
  write('tag.ts', "export const tag = 'test'")
  write('policy.ts', GOOD)
  const routes = [routeTo('ingest', '/a/*', 'none', { policies: [{ use: path('policy.ts'), with: null }] })]
  const config = { ...controlConfig(), routes }
  const loaded: Loaded = { config, warnings: ['a doubtful one'], files: ['nyro.yaml'] }
  return { judged: new JudgedLoad(async () => loaded), path, write }
}

test('a config whose policies can be had is loaded, and its policies’ files are files of the config', async (t) => {
  const { judged, path } = stage(t)
  const loaded = await judged.load()
  assert.notEqual(loaded.config, null)
  assert.deepEqual(loaded.files, ['nyro.yaml', path('policy.ts'), path('tag.ts')])
  assert.deepEqual(loaded.warnings, ['a doubtful one'])
})

test('a policy that cannot be had is a problem of the config, in a line', async (t) => {
  const { judged, write } = stage(t)
  write('policy.ts', "throw new Error('broken')")
  const loaded = await judged.load()
  assert.equal(loaded.config, null)
  assert.equal(loaded.problems.length, 1)
  assert.match(String(loaded.problems[0]), /^routes\.ingest\.policies\[0\]\.use: .*policy\.ts.*broken/)
})

test('code that changed since the start is named each time, because it runs as it was', async (t) => {
  const { judged, path, write } = stage(t)
  await judged.load()
  write('tag.ts', "export const tag = 'other'")
  for (let reload = 0; reload < 2; reload++) {
    assert.deepEqual((await judged.load()).warnings, [
      'a doubtful one',
      `${path('tag.ts')} has changed; its code stays as it is until a restart`,
    ])
  }
})
