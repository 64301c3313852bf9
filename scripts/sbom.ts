/**
 * `node scripts/sbom.ts [FILE]`: writes what the published package is made of as CycloneDX 1.6 JSON, to FILE or to
 * standard output. From package.json and package-lock.json alone: no network, and the same bytes every time.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './step.ts'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
}

export interface Lockfile {
  /** By place: `node_modules/a`, `node_modules/a/node_modules/b`. */
  readonly packages: Readonly<Record<string, LockedPackage>>
}

export interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface Component {
  readonly type: 'application' | 'library'
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly scope?: 'required'
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[]
  readonly licenses?: readonly { readonly expression: string }[]
  readonly purl: string
  readonly properties?: readonly { readonly name: string; readonly value: string }[]
}

export interface Bom {
  readonly $schema: string
  readonly bomFormat: 'CycloneDX'
  readonly specVersion: '1.6'
  readonly serialNumber: string
  readonly version: 1
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

/** Packages of which scripts/build.ts copies files into dist/assets; what those files bundle is theirs to say. */
export const COPIED: readonly string[] = ['redoc', 'swagger-ui-dist']

/** Everything that the run-time dependencies need, and what the build copies. Throws if the lockfile lacks a package. */
export function sbomOf(manifest: Manifest, lockfile: Lockfile): Bom {
  const direct = Object.keys(manifest.dependencies).map((name) => placeOf(name, '', lockfile))
  const copied = COPIED.map((name) => placeOf(name, '', lockfile))
  const needs = needsOf(direct, lockfile)
  for (const place of copied) if (!needs.has(place)) needs.set(place, [])
  const refs = (list: readonly string[]): string[] => list.map((place) => refAt(place, lockfile)).sort()
  const placesByRef = Map.groupBy(needs.keys(), (place) => refAt(place, lockfile))
  // One version laid out at several places is one component, which needs whatever any of them resolves to.
  const parts = [...placesByRef]
    .map(([, places]) => ({
      component: componentAt(places[0] as string, lockfile, copied), // a group is never empty
      dependsOn: [...new Set(refs(places.flatMap((place) => needs.get(place) ?? [])))],
    }))
    .sort((a, b) => (a.component['bom-ref'] < b.component['bom-ref'] ? -1 : 1))
  const root = rootComponent(manifest)
  const content = {
    metadata: { component: root },
    components: parts.map(({ component }) => component),
    dependencies: [
      { ref: root['bom-ref'], dependsOn: refs([...direct, ...copied]) },
      ...parts.map(({ component, dependsOn }) => ({ ref: component['bom-ref'], dependsOn })),
    ],
  }
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumberOf(JSON.stringify(content)),
    version: 1,
    ...content,
  }
}

/** By place, the places of what each package needs: those given, and all they lead to. */
function needsOf(direct: readonly string[], lockfile: Lockfile): Map<string, readonly string[]> {
  const needs = new Map<string, readonly string[]>()
  const pending = [...direct]
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (needs.has(place)) continue
    const { dependencies, optionalDependencies, peerDependencies } = packageAt(place, lockfile)
    // npm installs the peers of what it installs, but for those that are optional and that nobody else wants.
    const peers = Object.keys(peerDependencies ?? {}).filter(
      (name) => `node_modules/${name}` in lockfile.packages,
    )
    const from = place
    const names = new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers])
    const wanted = [...names].map((name) => placeOf(name, from, lockfile))
    needs.set(place, wanted)
    pending.push(...wanted)
  }
  return needs
}

/** As Node resolves `name` from a package at `from`: its own node_modules, then those it lies in. */
function placeOf(name: string, from: string, lockfile: Lockfile): string {
  for (let level = from; ; level = level.slice(0, Math.max(level.lastIndexOf('/node_modules/'), 0))) {
    const place = level === '' ? `node_modules/${name}` : `${level}/node_modules/${name}`
    if (lockfile.packages[place] !== undefined) return place
    if (level === '') throw new Error(`package-lock.json has no ${name}, which ${from} needs: run npm ci`)
  }
}

function packageAt(place: string, lockfile: Lockfile): LockedPackage {
  return lockfile.packages[place] ?? {}
}

function nameAt(place: string): string {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

function refAt(place: string, lockfile: Lockfile): string {
  return purlOf(nameAt(place), packageAt(place, lockfile).version ?? '')
}

/** https://github.com/package-url/purl-spec: the scope's @ is percent-encoded, its / is not. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

function rootComponent({ name, version, description, license }: Manifest): Component {
  const purl = purlOf(name, version)
  const licenses = [{ expression: license }]
  return { type: 'application', 'bom-ref': purl, name, version, description, licenses, purl }
}

function componentAt(place: string, lockfile: Lockfile, copied: readonly string[]): Component {
  const { version = '', integrity, license } = packageAt(place, lockfile)
  const name = nameAt(place)
  const purl = purlOf(name, version)
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    scope: 'required',
    ...(integrity === undefined ? {} : { hashes: hashesOf(integrity) }),
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
    purl,
    ...(copied.includes(place)
      ? { properties: [{ name: 'nyro-gateway:copied-into', value: 'dist/assets' }] }
      : {}),
  }
}

/** Of the tarball as npm has it (Subresource Integrity): several algorithms are separated by spaces. */
function hashesOf(integrity: string): NonNullable<Component['hashes']> {
  return integrity.split(' ').map((hash) => {
    const [algorithm = '', digest = ''] = hash.split(/-(.*)/s)
    const alg = `SHA-${algorithm.slice(3)}`
    return { alg, content: Buffer.from(digest, 'base64').toString('hex') }
  })
}

/** A UUID of version 8 (RFC 9562) made from the content: random ones would differ without a difference. */
function serialNumberOf(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex')
  const variant = ((Number.parseInt(hex[16] ?? '0', 16) & 0x3) | 0x8).toString(16)
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

if (import.meta.main) {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, name), 'utf8'))
  // Both files are npm's, which holds to these shapes.
  const bom = sbomOf(read('package.json') as Manifest, read('package-lock.json') as Lockfile)
  const text = `${JSON.stringify(bom, null, 2)}\n`
  const [file] = process.argv.slice(2)
  if (file === undefined) process.stdout.write(text)
  else writeFileSync(file, text)
}
