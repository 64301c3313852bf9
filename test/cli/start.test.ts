import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { NO_ARGUMENTS } from '../../src/cli/arguments.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import { loadSettings } from '../../src/cli/load-settings.ts'
import { drainOnSignal, start } from '../../src/cli/start.ts'
import { ownKeyOf } from '../support/config-part.ts'
import { exitCodeOf, FakeEdge, fileError } from './fake-edge.ts'

const SECRET = 's'.repeat(32)

describe('nyro start with settings that cannot be used', () => {
  test('says everything on standard error, warnings included, and exits with status 2', async () => {
    const edge = new FakeEdge()
    edge.env = { GATEWAY_JWT_SECRT: SECRET, GATEWAY_PORT: 'x', GATEWAY_WORKERS: '0' }
    assert.equal(await exitCodeOf(() => start(edge, NO_ARGUMENTS)), 2)
    assert.equal(edge.printed, '')
    const lines = edge.complained.split('\n')
    assert.equal(lines[0], 'nyro: nothing was started, for 3 reasons:')
    assert.deepEqual(
      lines.slice(1).map((line) => line.split(' ').slice(0, 4).join(' ')),
      [
        '  GATEWAY_PORT is',
        '  GATEWAY_WORKERS is',
        '  GATEWAY_JWT_SECRET is',
        '  note: GATEWAY_JWT_SECRT',
        '',
      ],
    )
    assert(!edge.complained.includes(SECRET))
  })

  test('says a single problem in a single line', async () => {
    const edge = new FakeEdge()
    edge.env = { GATEWAY_JWT_SECRET: SECRET, GATEWAY_PORT: 'x' }
    assert.equal(await exitCodeOf(() => start(edge, NO_ARGUMENTS)), 2)
    assert.match(edge.complained, /^nyro: GATEWAY_PORT is "x"; expected [^\n]+\n$/)
  })

  test('exits with status 1 and one line where a secret file cannot be read', async () => {
    const edge = new FakeEdge()
    edge.env = { GATEWAY_JWT_SECRET_FILE: '/run/secrets/none' }
    assert.equal(await exitCodeOf(() => start(edge, NO_ARGUMENTS)), 1)
    assert.match(
      edge.complained,
      /^nyro: GATEWAY_JWT_SECRET_FILE names a file \("\/run\/secrets\/none"\) that cannot be read: [^\n]+\n$/,
    )
  })

  for (const [code, reason] of [
    ['EACCES', 'permission denied'],
    ['EISDIR', 'it is a folder'],
  ] as const) {
    test(`exits with status 1 and one line where .env cannot be read (${code})`, async () => {
      const edge = new FakeEdge()
      edge.env = { GATEWAY_JWT_SECRET: SECRET }
      edge.files = { '/work-dir/.env': fileError(code) }
      assert.equal(await exitCodeOf(() => start(edge, NO_ARGUMENTS)), 1)
      assert.equal(edge.complained, `nyro: /work-dir/.env cannot be read: ${reason}. Correct or remove it.\n`)
    })
  }
})

describe('nyro dev', () => {
  test('refuses a configuration file, wherever it is named, with status 2', async () => {
    for (const set of ['env', '.env']) {
      const edge = new FakeEdge()
      edge.argv = ['dev']
      if (set === 'env') edge.env = { GATEWAY_CONFIG: '/nyro.yaml' }
      else edge.files = { '/work-dir/.env': 'gateway_config=/nyro.yaml' }
      assert.equal(await exitCodeOf(() => dispatch(edge)), 2)
      assert.equal(
        edge.complained,
        'nyro: dev brings its own routes and reads no configuration file; unset GATEWAY_CONFIG, or run nyro start\n',
      )
    }
  })
})

describe('the settings of a process', () => {
  test('come from its variables and the .env of its working directory', async () => {
    const edge = new FakeEdge()
    edge.env = { GATEWAY_PORT: '81' }
    edge.files = { '/work-dir/.env': `GATEWAY_PORT=80\nGATEWAY_JWT_SECRET=${SECRET}` }
    const { config } = await loadSettings(edge, null)
    assert.equal(config?.listen.port, 81)
    assert.equal(ownKeyOf(config), SECRET)
    assert.equal(config?.workers, 2)
  })

  test('need no .env', async () => {
    const edge = new FakeEdge()
    edge.env = { GATEWAY_JWT_SECRET: SECRET }
    assert.notEqual((await loadSettings(edge, null)).config, null)
  })

  test('include a public key that was loaded for its algorithm', async () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const edge = new FakeEdge()
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    edge.files = { '/run/key.pem': pem }
    edge.env = { GATEWAY_JWT_ALGORITHM: 'EdDSA', GATEWAY_JWT_SECRET_FILE: '/run/key.pem' }
    assert.equal(ownKeyOf((await loadSettings(edge, null)).config), pem.trimEnd())
    edge.env = { ...edge.env, GATEWAY_JWT_ALGORITHM: 'ES256' }
    const loaded = await loadSettings(edge, null)
    assert(loaded.config === null)
    assert.match(loaded.problems[0] ?? '', /^GATEWAY_JWT_SECRET_FILE cannot be used: ES256 .*ed25519/)
  })
})

describe('signals', () => {
  for (const [first, second] of [
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
    ['SIGINT', 'SIGINT'],
  ] as const) {
    test(`${first} drains, then ${second} ends the process at once`, () => {
      const edge = new FakeEdge()
      const drains: string[] = []
      drainOnSignal(edge, { drain: (signal) => drains.push(signal) })
      edge.signal(first)
      assert.deepEqual([drains, edge.killed], [[first], []])
      edge.signal(second)
      assert.deepEqual([drains, edge.killed], [[first], [second]])
    })
  }
})
