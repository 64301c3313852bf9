import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until, within } from '../support/until.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/nyro', import.meta.url))

/** Long enough to tell ending at once from draining. */
const DELAY_S = '60'

class Running implements AsyncDisposable {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  stdout = ''
  stderr = ''

  constructor(command: string, argv: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    const { PATH = '', HOME = '' } = process.env
    this.child = spawn(command, argv, {
      cwd: folder,
      env: {
        PATH,
        HOME,
        GATEWAY_HOST: '127.0.0.1',
        GATEWAY_PORT: '0',
        GATEWAY_ADMIN_PORT: '0',
        GATEWAY_WORKERS: '1',
        GATEWAY_JWT_SECRET: 's'.repeat(32),
        GATEWAY_INGEST_SERVICE_URL: 'http://127.0.0.1:9',
        GATEWAY_QUERY_SERVICE_URL: 'http://127.0.0.1:9',
        GATEWAY_SHUTDOWN_DELAY: DELAY_S,
        GATEWAY_SHUTDOWN_TIMEOUT: '90',
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  /** Waits for a log line with that event. */
  async logged(event: string): Promise<void> {
    await until(
      `the log line "${event}"`,
      () => {
        assert.equal(this.child.exitCode, null, this.stderr)
        return this.stdout.includes(`"event":"${event}"`)
      },
      30_000,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }
}

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'nyro-ending-'))
})
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('nyro start, while it drains', () => {
  test('is ended at once by a second signal, as by a signal', async () => {
    await using gateway = new Running(LAUNCHER, ['start'])
    await gateway.logged('Gateway listening')
    gateway.child.kill('SIGTERM')
    await gateway.logged('Draining')
    gateway.child.kill('SIGINT')
    const end = await within('the end', gateway.ended)
    assert.deepEqual([end, gateway.stderr], [{ code: null, signal: 'SIGINT' }, ''])
  })
})

// The kernel delivers PID 1 of a container no signal without a listener, not even SIGKILL, if it comes from within.
describe('nyro start as PID 1 of a container', () => {
  test('is ended at once by a second signal while it drains', async (t) => {
    if (!hasNamespaces()) return t.skip(NO_NAMESPACES)
    await using gateway = new Running('unshare', IN_NAMESPACE)
    await gateway.logged('Gateway listening')
    assert.match(gateway.stdout, /"event":"Gateway listening"[^\n]*"pid":1[},]/)
    process.kill(pidInside(gateway), 'SIGTERM')
    await gateway.logged('Draining')
    process.kill(pidInside(gateway), 'SIGTERM')
    assert.deepEqual(await within('the end', gateway.ended), { code: 143, signal: null })
  })

  test('ends with status 0 after a drain although a job of the thread pool is stuck', async (t) => {
    if (!hasNamespaces()) return t.skip(NO_NAMESPACES)
    assert.equal(spawnSync('mkfifo', [join(folder, 'nobody-writes')]).status, 0)
    const stuck = 'import{open}from"node:fs";open("nobody-writes",()=>{})'
    await using gateway = new Running('unshare', IN_NAMESPACE, {
      NYRO_NODE_FLAGS: `--import=data:text/javascript,${stuck}`,
      GATEWAY_SHUTDOWN_DELAY: '0',
    })
    await gateway.logged('Gateway listening')
    process.kill(pidInside(gateway), 'SIGTERM')
    assert.deepEqual(await within('the end', gateway.ended), { code: 0, signal: null })
  })
})

const IN_NAMESPACE = ['--pid', '--fork', '--kill-child', LAUNCHER, 'start']
const NO_NAMESPACES = 'this user cannot make a PID namespace'

function hasNamespaces(): boolean {
  return spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0
}

/** The gateway's PID as this process sees it. */
function pidInside({ child: { pid = -1 } }: Running): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
}

describe('a defect in the control thread', () => {
  test('ends the process with status 1 and one line', async () => {
    const fault = 'process.on("SIGUSR2",()=>{throw(new(TypeError)("first\\nsecond"))})'
    await using gateway = new Running(LAUNCHER, ['start'], {
      NYRO_NODE_FLAGS: `--import=data:text/javascript,${fault}`,
    })
    await gateway.logged('Gateway listening')
    gateway.child.kill('SIGUSR2')
    const end = await within('the end', gateway.ended)
    assert.deepEqual(end, { code: 1, signal: null })
    assert.match(
      gateway.stderr,
      /^nyro: a defect ended the process: TypeError: first \| second \| at [^\n]+\n$/,
    )
  })
})
