import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { Loaded } from '../../../src/config/loaded.ts'
import { STRONG_SECRET } from '../load-with.ts'
import { ISSUER_PEM, loadText } from './load-text.ts'

/** Beside each configuration stands what it yields: JSON of the Config, or the lines it is refused with. */

const FOLDER = join(import.meta.dirname, '..', 'golden')

const SECRETS = { SECRET_TEXT: 'do-not-show-this', SHORT: 'short-but-secret', SIGNING_KEY: 'signing-secret' }

function load(folder: string, file: string): Promise<Loaded> {
  return loadText(readFileSync(join(FOLDER, folder, file), 'utf8'), {
    name: `nyro${extname(file)}`,
    env: {
      GATEWAY_JWT_SECRET: STRONG_SECRET,
      PORT_OF_OURS: '8081',
      EMPTY: '',
      SAME: 'same-name-of-two',
      PEM: ISSUER_PEM,
      ...SECRETS,
    },
    files: {
      'issuer.pem': ISSUER_PEM,
      admin: 'admin-token\n',
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
      const { config, warnings, pending } = loaded
      const { files } = loaded
      const yielded: unknown = JSON.parse(placeless(JSON.stringify({ config, warnings, pending, files })))
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
