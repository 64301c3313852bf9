import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../bin/nyro', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'nyro-cli-'))
})
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs the command to its end with no other variables than these; killed after 30 s. */
function nyro(argv: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(LAUNCHER, argv, {
    cwd: folder,
    env: { PATH, HOME, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

describe('the nyro command', () => {
  test('prints its version', async () => {
    const { code, stdout, stderr } = await nyro(['--version'])
    assert.match(stdout, /^\d+\.\d+\.\d+\S*\n$/)
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('lists its commands when called with nothing', async () => {
    const { code, stdout, stderr } = await nyro([])
    assert.match(stdout, /^Nyro Gateway [^\n]+\n\nUsage: nyro COMMAND\n[\s\S]*\n {2}start /)
    assert.deepEqual([code, stderr], [0, ''])
  })

  test('refuses an unknown command with status 2', async () => {
    const { code, stdout, stderr } = await nyro(['stat'])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /^nyro: no such command: "stat"; did you mean start\?[^\n]*\n$/)
  })
})

describe('nyro start', () => {
  test('names all bad settings at once, exits with status 2 and never listens', async () => {
    // The port is held here: had it tried to listen, it would have said so and exited with status 1.
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    try {
      const address = holder.address()
      assert(address !== null && typeof address === 'object')
      writeFileSync(join(folder, '.env'), 'GATEWAY_HTTP_CLIENT_TIMEOUT=soon\n')
      const { code, stdout, stderr } = await nyro(['start'], {
        GATEWAY_HOST: '127.0.0.1',
        GATEWAY_PORT: String(address.port),
        GATEWAY_ADMIN_HOST: '0.0.0.0',
        GATEWAY_WORKERS: '-1',
        GATEWAY_JWT_SECRET: 'too-short-a-secret',
        GATEWAY_TRUSTED_PROXIES: '10.0.0.0/99',
        GATEWAY_TRUSTED_PROXY: '10.0.0.0/8',
      })
      assert.deepEqual([code, stdout], [2, ''])
      const [first = '', ...rest] = stderr.trimEnd().split('\n')
      assert.equal(first, 'nyro: nothing was started, for 5 reasons:')
      assert.deepEqual(
        rest.map(
          (line) =>
            line
              .trimStart()
              .replace(/^note: /, '')
              .split(' ')[0],
        ),
        [
          'GATEWAY_HTTP_CLIENT_TIMEOUT',
          'GATEWAY_WORKERS',
          'GATEWAY_TRUSTED_PROXIES',
          'GATEWAY_ADMIN_TOKEN',
          'GATEWAY_JWT_SECRET',
          'GATEWAY_TRUSTED_PROXY',
        ],
      )
      assert.doesNotMatch(stderr, /too-short-a-secret/)
    } finally {
      rmSync(join(folder, '.env'), { force: true })
      await new Promise((resolve) => holder.close(resolve))
    }
  })

  test('exits with status 1 and one line where the secret file is missing', async () => {
    const { code, stdout, stderr } = await nyro(['start'], { GATEWAY_JWT_SECRET_FILE: './missing' })
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(
      stderr,
      /^nyro: GATEWAY_JWT_SECRET_FILE names a file \("\.\/missing"\) that cannot be read: there is no such file;[^\n]+\n$/,
    )
  })
})
