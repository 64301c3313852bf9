import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { COPIED, type Lockfile, type Manifest, sbomOf } from '../../scripts/sbom.ts'
import { assetOrigins } from '../../src/docs/assets.ts'
import { ROOT } from '../budgets/tree.ts'

const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, name), 'utf8'))
const manifest = read('package.json') as Manifest
const lockfile = read('package-lock.json') as Lockfile
const bom = sbomOf(manifest, lockfile)

describe('the bill of materials', () => {
  test('is about this version of the product', () => {
    assert.equal(bom.specVersion, '1.6')
    assert.equal(bom.metadata.component.purl, `pkg:npm/${manifest.name}@${manifest.version}`)
  })

  test('has every package that runs, and none that only develops', () => {
    // As npm marks them in the lockfile, which is another way to the same set.
    const marked = Object.entries(lockfile.packages as Readonly<Record<string, Marked>>)
      .filter(
        ([place, { dev, optional, link }]) => place.startsWith('node_modules/') && !dev && !optional && !link,
      )
      .map(([place, { version }]) => {
        const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
        return `${name} ${version}`
      })
    const copied = COPIED.map((name) => `${name} ${lockfile.packages[`node_modules/${name}`]?.version}`)
    assert.deepEqual(
      bom.components.map(({ name, version }) => `${name} ${version}`).sort(),
      [...new Set([...marked, ...copied])].sort(),
    )
  })

  test('has every package whose files the build copies', () => {
    const origins = assetOrigins().map(({ from }) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(from)?.[1])
    assert.deepEqual([...new Set(origins)].sort(), [...COPIED].sort())
    for (const { name, properties } of bom.components)
      assert.equal(properties !== undefined, COPIED.includes(name), name)
  })

  test('gives each its version, licence, hash and package URL', () => {
    for (const { name, version, licenses, hashes, purl } of bom.components) {
      assert.match(version, /^\d+\.\d+\.\d+/)
      assert.ok((licenses?.[0]?.expression ?? '') !== '', name)
      assert.equal(hashes?.[0]?.alg, 'SHA-512')
      assert.match(hashes?.[0]?.content ?? '', /^[0-9a-f]{128}$/)
      assert.equal(purl, `pkg:npm/${name.replace('@', '%40')}@${version}`)
    }
  })

  test('relates each to what it needs, by references that exist', () => {
    const refs = new Set([bom.metadata.component, ...bom.components].map((component) => component['bom-ref']))
    assert.deepEqual(new Set(bom.dependencies.map(({ ref }) => ref)), refs)
    for (const { dependsOn } of bom.dependencies) for (const ref of dependsOn) assert.ok(refs.has(ref), ref)
    assert.equal(refs.size, bom.components.length + 1)
  })

  test('is the same every time, and tells of another package by another serial number', () => {
    assert.deepEqual(sbomOf(manifest, lockfile), bom)
    assert.match(
      bom.serialNumber,
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
    assert.notEqual(sbomOf({ ...manifest, version: '9.9.9' }, lockfile).serialNumber, bom.serialNumber)
  })

  test('is written by the script as it stands', () => {
    const written = execFileSync(process.execPath, [join(ROOT, 'scripts', 'sbom.ts')], { encoding: 'utf8' })
    assert.deepEqual(JSON.parse(written), bom)
  })

  describe('resolves as npm lays packages out', () => {
    const packages = {
      'node_modules/a': { version: '1.0.0', dependencies: { c: '2', b: '1' }, peerDependencies: { p: '*' } },
      'node_modules/a/node_modules/c': { version: '2.0.0', dependencies: { b: '1' } },
      'node_modules/b': { version: '1.0.0', dependencies: { a: '1' } },
      'node_modules/c': { version: '1.0.0' },
      ...Object.fromEntries(COPIED.map((name) => [`node_modules/${name}`, { version: '0.0.1' }])),
    }

    test('naming a version once that is laid out twice', () => {
      const twice = {
        ...packages,
        'node_modules/b/node_modules/c': { version: '2.0.0', dependencies: { a: '1' } },
      }
      const both = { ...twice, 'node_modules/b': { version: '1.0.0', dependencies: { c: '2' } } }
      const made = sbomOf({ ...manifest, dependencies: { a: '1' } }, { packages: both })
      assert.equal(made.components.filter(({ purl }) => purl === 'pkg:npm/c@2.0.0').length, 1)
      assert.deepEqual(made.dependencies.find(({ ref }) => ref === 'pkg:npm/c@2.0.0')?.dependsOn, [
        'pkg:npm/a@1.0.0',
        'pkg:npm/b@1.0.0',
      ])
    })

    test('taking the nearer of two versions, and going in circles once', () => {
      const made = sbomOf({ ...manifest, dependencies: { a: '1' } }, { packages })
      assert.deepEqual(
        made.components.map(({ purl }) => purl).filter((purl) => !COPIED.some((name) => purl.includes(name))),
        ['pkg:npm/a@1.0.0', 'pkg:npm/b@1.0.0', 'pkg:npm/c@2.0.0'],
      )
      assert.deepEqual(made.dependencies.find(({ ref }) => ref === 'pkg:npm/c@2.0.0')?.dependsOn, [
        'pkg:npm/b@1.0.0',
      ])
    })

    test('refusing a lockfile that lacks a package', () => {
      assert.throws(() => sbomOf({ ...manifest, dependencies: { none: '1' } }, { packages }), /has no none/)
    })
  })
})

interface Marked {
  readonly version: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly link?: boolean
}
