import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { Loaded } from '../../../src/config/loaded.ts'
import { STRONG_SECRET } from '../load-with.ts'
import { ISSUER_PEM, loadText } from './load-text.ts'

/** Beside each configuration stands what it yields: JSON of the Config, or the lines it is refused with. */

const FOLDER = join(import.meta.dirname, '..', 'golden')

const SECRETS = {
  SECRET_TEXT: 'do-not-show-this',
  SHORT: 'short-but-secret',
  SIGNING_KEY: 'signing-secret',
  PRIVATE_URL: 'http://private.internal/jwks',
  PRIVATE_HOST: 'private.internal',
}

/** Of no key. */
const HASH = '4f'.repeat(32)
const KEY = { name: 'ci', tenant: 'acme', hash: HASH, prefix: 'nyro_00000000', scopes: ['ingest:write'] }
const API_KEYS = `# Made by hand.
- { name: ci, tenant: acme, hash: ${HASH}, prefix: nyro_00000000 }
- name: cron
  tenant: "42"
  hash: ${'5e'.repeat(32)}
  prefix: nyro_11111111
  plan: pro
  expires: 2030-01-31
`
const BAD_API_KEYS = `- { name: ci, tenant: acme, hash: nyro_0000000000, prefix: nyro_00000000 }
- name: ci
  tenant: 42
  hash: ${HASH}
  prefix: nyro_11111111
  scope: a
`

function load(folder: string, file: string): Promise<Loaded> {
  return loadText(readFileSync(join(FOLDER, folder, file), 'utf8'), {
    name: `nyro${extname(file)}`,
    env: {
      GATEWAY_JWT_SECRET: STRONG_SECRET,
      PORT_OF_OURS: '8081',
      EMPTY: '',
      SAME: 'same-name-of-two',
      PEM: ISSUER_PEM,
      STORE_URL: 'rediss://user:redis-secret@cache:6380/2',
      HS_SECRET: 's'.repeat(48),
      ...SECRETS,
    },
    files: {
      'issuer.pem': ISSUER_PEM,
      admin: 'admin-token\n',
      'api-keys.yaml': API_KEYS,
      'keys.json': JSON.stringify([KEY]),
      'bad-keys.yaml': BAD_API_KEYS,
      'broken-keys.yaml': '- name: [',
      'no-list.json': '{"name":"x"}',
      'sign.ts': 'export const policy = 1',
      'audit.ts': 'export const policy = 2',
    },
    checkKey: async (algorithm) => {
      if (algorithm === 'RS512') throw new Error('RS512 takes an RSA key')
    },
  })
}

/** Relative paths were taken from the folder that the test runs in, wherever that is. */
function placeless(text: string): string {
  return text.replaceAll(`${resolve('.')}/`, '')
}

function configurations(folder: string): readonly string[] {
  const files = readdirSync(join(FOLDER, folder)).sort()
  return files.filter((file) => file.endsWith('.yaml') || file === 'minimal.json')
}

describe('a good file', () => {
  for (const file of configurations('accepted')) {
    test(`yields what stands beside it: ${file}`, async () => {
      const loaded = await load('accepted', file)
      assert.ok(loaded.config !== null, loaded.config === null ? loaded.problems.join('\n') : '')
      const { config, warnings } = loaded
      const { files } = loaded
      const yielded: unknown = JSON.parse(placeless(JSON.stringify({ config, warnings, files })))
      const expected: unknown = JSON.parse(readFileSync(join(FOLDER, 'accepted', `${file}.golden`), 'utf8'))
      assert.deepEqual(yielded, expected)
    })
  }
})

describe('a bad file', () => {
  for (const file of configurations('refused')) {
    test(`is refused with the lines beside it: ${file}`, async () => {
      const loaded = await load('refused', file)
      assert.ok(loaded.config === null, 'it was accepted')
      const lines = [`exit ${loaded.exitCode}`, ...loaded.problems, ...loaded.warnings]
      assert.deepEqual(
        lines,
        readFileSync(join(FOLDER, 'refused', `${file}.golden`), 'utf8')
          .trimEnd()
          .split('\n'),
      )
      for (const secret of Object.values(SECRETS)) assert.ok(!lines.join('\n').includes(secret))
    })
  }
})
