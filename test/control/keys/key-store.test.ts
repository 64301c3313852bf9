import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { folderKeyStore, type KeyStore, type StoredKeys } from '../../../src/control/keys/key-store.ts'
import { readJwkSet } from '../../../src/jwt/jwk.ts'

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const members = publicKey.export({ format: 'jwk' })
const jwks = readJwkSet({ keys: [{ ...members, kid: 'a', alg: 'ES256', x5c: ['not kept'] }] }) ?? []
const STORED: StoredKeys = { url: 'https://id.example.com/jwks', fetchedAtMs: 1_000, jwks }

describe('the folder that keeps keys', () => {
  let parent: string
  let folder: string
  let store: KeyStore

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'nyro-keys-'))
    folder = join(parent, 'state')
    store = folderKeyStore(folder)
  })
  afterEach(() => rmSync(parent, { recursive: true, force: true }))

  function path(): string {
    return join(folder, readdirSync(folder)[0] ?? '')
  }

  test('gives back what was put there, of each issuer its own', async () => {
    await store.save('idp', STORED)
    await store.save('../other', { ...STORED, fetchedAtMs: 2_000 })
    assert.deepEqual(await store.load('idp'), STORED)
    assert.equal((await store.load('../other'))?.fetchedAtMs, 2_000)
    assert.equal(await store.load('third'), null)
    assert.equal(readdirSync(parent).length, 1, 'no name leads out of the folder')
  })

  test('is for its owner alone, and holds whole files only', async () => {
    for (let round = 0; round < 3; round++) await store.save('idp', STORED)
    assert.equal(readdirSync(folder).length, 1)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    assert.equal(statSync(path()).mode & 0o777, 0o600)
  })

  test('leaves no piece of a file behind where writing fails', async () => {
    await store.save('idp', STORED)
    const target = path()
    rmSync(target)
    // A folder in the file's place cannot be replaced by a file.
    mkdirSync(target)
    await assert.rejects(store.save('idp', STORED))
    assert.equal(readdirSync(folder).length, 1)
  })

  // Whoever can write the file says who is believed.
  test('is not believed where others could have written, or what is there is a link', async () => {
    await store.save('idp', STORED)
    const target = path()
    for (const mode of [0o620, 0o602]) {
      chmodSync(target, mode)
      assert.equal(await store.load('idp'), null, mode.toString(8))
    }
    chmodSync(target, 0o600)
    assert.notEqual(await store.load('idp'), null)
    const elsewhere = join(parent, 'elsewhere.json')
    writeFileSync(elsewhere, readFileSync(target), { mode: 0o600 })
    rmSync(target)
    symlinkSync(elsewhere, target)
    assert.equal(await store.load('idp'), null)
  })

  test('counts what is damaged, of another issuer or of another format as none', async () => {
    await store.save('idp', STORED)
    const target = path()
    const good = JSON.parse(readFileSync(target, 'utf8')) as Record<string, unknown>
    const texts = [
      '',
      '{',
      '[]',
      'x'.repeat(3 << 20),
      JSON.stringify({ ...good, format: 2 }),
      JSON.stringify({ ...good, issuer: 'other' }),
      JSON.stringify({ ...good, url: null }),
      JSON.stringify({ ...good, fetchedAtMs: '1' }),
      JSON.stringify({ ...good, jwks: [] }),
    ]
    for (const text of texts) {
      writeFileSync(target, text)
      assert.equal(await store.load('idp'), null, text.slice(0, 40))
    }
    writeFileSync(target, JSON.stringify(good))
    assert.deepEqual(await store.load('idp'), STORED)
  })
})
