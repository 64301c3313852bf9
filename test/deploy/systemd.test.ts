import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { SETTINGS } from '../../src/config/setting.ts'
import { ROOT } from '../budgets/tree.ts'
import { until, within } from '../support/until.ts'
import { unknownVariables } from './product-environment.ts'

const text = readFileSync(join(ROOT, 'deploy', 'systemd', 'nyro-gateway.service'), 'utf8')
const LEAST_MARGIN_S = 5
/** Of `systemd-analyze security`: 0 is closed, 10 is open; an ordinary service has 9.6. */
const MOST_EXPOSURE = 2

interface Directive {
  readonly section: string
  readonly name: string
  readonly value: string
}

const directives: readonly Directive[] = parseUnit(text)

function parseUnit(unit: string): readonly Directive[] {
  let section = ''
  return unit.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return []
    const heading = /^\[(\w+)\]$/.exec(line)?.[1]
    if (heading !== undefined) {
      section = heading
      return []
    }
    const [, name, value = ''] = /^([A-Z]\w*)=(.*)$/.exec(line) ?? []
    if (name === undefined) throw new Error(`not a directive: ${line}`)
    return [{ section, name, value }]
  })
}

/** All values of a directive, in order. */
function valuesOf(name: string): readonly string[] {
  return directives.filter((directive) => directive.name === name).map(({ value }) => value)
}

function seconds(name: string): number {
  const written = valuesOf('Environment').join(' ')
  return Number(new RegExp(`\\b${name}=(\\d+)`).exec(written)?.[1] ?? valuesOf(name)[0])
}

describe('the systemd unit', () => {
  test('becomes the gateway itself, not a parent of it', () => {
    assert.deepEqual(valuesOf('Type'), ['exec'])
    assert.match(
      valuesOf('ExecStart')[0] ?? '',
      /^\/\S+\/nyro start --config \/etc\/nyro-gateway\/nyro\.yaml$/,
    )
  })

  test('judges a config before it has it reloaded', () => {
    assert.deepEqual(valuesOf('ExecReload'), [
      '/usr/local/bin/nyro check /etc/nyro-gateway/nyro.yaml',
      '/bin/kill -HUP $MAINPID',
    ])
  })

  test('gives the gateway as long to stop as its drain may take, and lets it end by itself', () => {
    assert.ok(
      seconds('TimeoutStopSec') >=
        seconds('GATEWAY_SHUTDOWN_DELAY') + seconds('GATEWAY_SHUTDOWN_TIMEOUT') + LEAST_MARGIN_S,
    )
    assert.ok(seconds('GATEWAY_SHUTDOWN_DELAY') >= 2)
    assert.deepEqual(valuesOf('KillMode'), ['mixed'])
  })

  test('starts it again after a failure, but not with the same bad settings', () => {
    assert.deepEqual(valuesOf('Restart'), ['on-failure'])
    assert.deepEqual(valuesOf('RestartPreventExitStatus'), ['2'])
  })

  test('keeps compiled code where only the service can write', () => {
    const [cache = ''] = valuesOf('CacheDirectory')
    assert.ok(valuesOf('Environment').includes(`NODE_COMPILE_CACHE=%C/${cache}`))
    assert.deepEqual(valuesOf('CacheDirectoryMode'), ['0700'])
  })

  // The user is made for each start, so what outlasts one is systemd's to hand over.
  test('keeps keys of issuers where only the service can write, and has a folder for a log file', () => {
    const [state = ''] = valuesOf('StateDirectory')
    assert.ok(valuesOf('Environment').includes(`GATEWAY_STATE_DIR=%S/${state}`))
    assert.deepEqual(valuesOf('StateDirectoryMode'), ['0700'])
    const [logs = ''] = valuesOf('LogsDirectory')
    for (const page of ['logging.md', 'operations.md'])
      assert.ok(readFileSync(join(ROOT, 'docs', page), 'utf8').includes(`/var/log/${logs}`), page)
  })

  test('closes what the gateway does not need, and leaves V8 its machine code', () => {
    const wanted: Readonly<Record<string, string>> = {
      DynamicUser: 'yes',
      NoNewPrivileges: 'yes',
      ProtectSystem: 'strict',
      ProtectHome: 'yes',
      CapabilityBoundingSet: '',
      RestrictAddressFamilies: 'AF_INET AF_INET6 AF_NETLINK AF_UNIX',
      SystemCallFilter: '@system-service',
      MemoryDenyWriteExecute: 'no',
    }
    for (const [name, value] of Object.entries(wanted)) assert.deepEqual(valuesOf(name), [value], name)
  })

  test('names only variables that the product has', () => {
    assert.deepEqual(unknownVariables(text), [])
  })

  describe('in the eyes of systemd', { skip: !hasAnalyze() && 'systemd is not installed' }, () => {
    test('has known directives only, with values that they take', () => {
      const folder = mkdtempSync(join(tmpdir(), 'nyro-unit-'))
      try {
        const unit = join(folder, 'nyro-gateway.service')
        // The command need not be installed here; its manual is read by nobody.
        writeFileSync(unit, text.replaceAll('/usr/local/bin/nyro', '/bin/true'))
        const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
          encoding: 'utf8',
        })
        assert.equal(stderr, '')
        assert.equal(status, 0)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })

    test('is closed well', () => {
      const unit = join(ROOT, 'deploy', 'systemd', 'nyro-gateway.service')
      const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', unit], {
        encoding: 'utf8',
      })
      const exposure = Number(/Overall exposure level for \S+: (\d+\.\d+)/.exec(stdout)?.[1])
      assert.ok(exposure <= MOST_EXPOSURE, stdout)
    })
  })

  describe('waits after a start', () => {
    const [line = ''] = valuesOf('ExecStartPost')

    test('for the operator listener at its default port', () => {
      assert.ok(line.includes(`http://127.0.0.1:${SETTINGS.ADMIN_PORT.fallback}/ready`), line)
    })

    test('until it is ready', async () => {
      let asked = 0
      let status = 503
      const server = createServer((request, response) => {
        asked += request.url === '/ready' ? 1 : 0
        response.statusCode = status
        response.end()
      })
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
      try {
        const { port } = server.address() as AddressInfo // it listens on a port
        const waiting = poll(port, process.pid)
        await until('it to ask again', () => asked >= 2)
        assert.equal(waiting.exitCode, null)
        status = 200
        assert.equal(await within('it to be content', exitOf(waiting)), 0)
      } finally {
        server.close()
      }
    })

    test('not for a process that has ended', async () => {
      const ended = spawn('/bin/true')
      const { pid = 0 } = ended
      await exitOf(ended)
      assert.equal(await within('it to give up', exitOf(poll(1, pid))), 1)
    })

    /** The unit's own line, run as systemd would: it fills ${MAINPID} in and splits at the quotes. */
    function poll(port: number, mainPid: number): ChildProcess {
      const [, shell = '', script = ''] = /^(\S+) -c '(.*)'$/.exec(line) ?? []
      const filled = script
        .replaceAll('${MAINPID}', `${mainPid}`)
        .replaceAll(`127.0.0.1:${SETTINGS.ADMIN_PORT.fallback}`, `127.0.0.1:${port}`)
      return spawn(shell, ['-c', filled], { stdio: ['ignore', 'ignore', 'ignore'] })
    }
  })
})

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => void child.once('exit', resolve))
}

function hasAnalyze(): boolean {
  return spawnSync('systemd-analyze', ['--version'], { stdio: 'ignore' }).status === 0
}
