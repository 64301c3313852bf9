import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../support/until.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const run = promisify(execFile)

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest

/** What a build and npm pack need of a checkout. */
const CHECKOUT = [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts', 'src', 'ui'],
  ...manifest.files.filter((path) => path !== 'dist'),
]

interface Manifest {
  readonly name: string
  readonly version: string
  readonly files: readonly string[]
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly dependencies: Readonly<Record<string, string>>
}

/** It has 1.1 MB, 4.0 MB unpacked: three quarters are the assets of the docs pages. */
const MOST_BYTES = 2_000_000
const MOST_UNPACKED_BYTES = 6_000_000

/** What npm pack says of one tarball. */
interface Packed {
  readonly name: string
  readonly filename: string
  /** Bytes, compressed. */
  readonly size: number
  /** Bytes. */
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}

/** What the dependencies need in their turn: one more is a decision, not an accident. */
const BROUGHT_ALONG = [
  '@opentelemetry/core',
  '@opentelemetry/otlp-transformer',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-logs',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace',
  '@opentelemetry/semantic-conventions',
]

describe('the published package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nyro-package-'))
  const checkout = join(folder, 'checkout')
  const home = join(folder, 'home')
  const installed = join(home, 'node_modules', manifest.name)
  let packed: readonly string[] = []
  let size = 0
  let unpackedSize = 0

  before(async () => {
    for (const path of [checkout, home]) mkdirSync(path)
    for (const path of CHECKOUT) cpSync(join(ROOT, path), join(checkout, path), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'))
    await run(process.execPath, ['scripts/build.ts'], { cwd: checkout })
    // The dependencies as npm installed them here, so that no registry is asked.
    const dependencies = Object.keys(manifest.dependencies).map((name) => join(ROOT, 'node_modules', name))
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--pack-destination', folder, checkout, ...dependencies],
      { cwd: folder },
    )
    const results = JSON.parse(stdout) as readonly Packed[]
    const own = results.find(({ name }) => name === manifest.name) ?? assert.fail('it was not packed')
    packed = own.files.map(({ path }) => path)
    size = own.size
    unpackedSize = own.unpackedSize
    const tarballs = results.map(({ filename }) => join(folder, filename))
    await run('npm', ['install', '--offline', '--omit=dev', ...tarballs], { cwd: home })
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  test('holds the launcher, the build and the documents, and nothing else', () => {
    const parts = new Set(packed.map((path) => path.split('/')[0]))
    assert.deepEqual([...parts].sort(), [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'package.json',
    ])
    assert.deepEqual(
      packed.filter((path) => /\.test\.|(?<!\.d)\.ts$|\.map$/.test(path)),
      [],
    )
  })

  test('holds nothing secret, and no settings of whoever built it', () => {
    assert.deepEqual(
      packed.filter((path) => /(^|\/)\.|\.(?:pem|key|crt|p12|log)$/i.test(path)),
      [],
    )
    for (const path of packed.filter((name) => !name.startsWith('dist/assets/')))
      assert.doesNotMatch(
        readFileSync(join(installed, path), 'utf8'),
        /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
        path,
      )
  })

  test('stays small', () => {
    assert.ok(size > 0 && size < MOST_BYTES, `${size} bytes`)
    assert.ok(unpackedSize > size && unpackedSize < MOST_UNPACKED_BYTES, `${unpackedSize} bytes`)
  })

  test('carries the assets of the docs pages and their licences', () => {
    const assets = packed.filter((path) => path.startsWith('dist/assets/')).map((path) => path.slice(12))
    for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js', 'redoc.standalone.js'])
      assert.ok(assets.includes(name), name)
    for (const name of ['swagger-ui', 'redoc'])
      assert.ok(
        assets.some((asset) => asset.startsWith(`${name}.LICENSE`)),
        name,
      )
    assert.ok(assets.some((asset) => asset.startsWith('swagger-ui.NOTICE')))
  })

  test('declares files that are there', () => {
    const declared = [
      ...Object.values(manifest.bin),
      ...Object.values(manifest.exports).flatMap((entry) => Object.values(entry)),
    ]
    for (const path of declared) assert.ok(statSync(join(installed, path)).isFile(), path)
    for (const path of Object.values(manifest.bin))
      assert.equal(statSync(join(installed, path)).mode & 0o111, 0o111)
  })

  test('declares the types of whatever it exports', async () => {
    const program = join(home, 'program.ts')
    const lines = [
      "import type { Policy } from 'nyro-gateway'",
      'export const kind = (policy: Policy): string => policy.kind',
    ]
    writeFileSync(program, lines.join('\n'))
    symlinkSync(join(ROOT, 'node_modules', '@types'), join(home, 'node_modules', '@types'))
    const compiler = join(ROOT, 'node_modules', '.bin', 'tsc')
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node']
    const { stdout } = await run(compiler, [...options, program], { cwd: home }).catch(
      (error: { stdout: string }) => error,
    )
    assert.equal(stdout, '')
  })

  test('brings no runtime, no compiler and no package it does not load', () => {
    const { packages } = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, unknown>
    }
    const names = Object.keys(packages)
      .filter((path) => path !== '')
      .map((path) => path.replace('node_modules/', ''))
    const expected = [manifest.name, ...Object.keys(manifest.dependencies), ...BROUGHT_ALONG]
    assert.deepEqual(names.sort(), expected.sort())
  })

  test('states its version', async () => {
    const { stdout } = await run(join(home, 'node_modules', '.bin', 'nyro'), ['--version'], { cwd: home })
    assert.equal(stdout.trim(), manifest.version)
  })

  test('serves requests and its docs pages', async () => {
    const child = spawn(join(home, 'node_modules', '.bin', 'nyro'), ['start'], {
      cwd: home,
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        GATEWAY_HOST: '127.0.0.1',
        GATEWAY_PORT: '0',
        GATEWAY_ADMIN_PORT: '0',
        GATEWAY_WORKERS: '1',
        GATEWAY_JWT_SECRET: 'a secret that is only known to this test',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
      const port = await until(
        'the gateway to listen',
        () => /"port":(\d+)/.exec(output)?.[1] ?? null,
        20_000,
      )
      const origin = `http://127.0.0.1:${port}`
      assert.equal((await fetch(`${origin}/health`)).status, 200)
      const page = await (await fetch(`${origin}/docs`)).text()
      const script = /src="([^"]+\.js\b[^"]*)"/.exec(page)?.[1]
      assert.ok(script !== undefined, page)
      const asset = await fetch(new URL(script, `${origin}/docs`))
      assert.equal(asset.status, 200)
      assert.ok((await asset.arrayBuffer()).byteLength > 100_000)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
