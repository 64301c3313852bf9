import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { compactVerify, errors } from 'jose'
import { secretVerificationKey } from '../../src/jwt/key.ts'
import { forge } from '../support/token.ts'
import { payloadUnder } from './judged.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Numbers from 0 to below 1, the same in every run (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Whether every segment is in the alphabet with its unused bits zero: what we ask and jose does not. */
function isCanonical(jwt: string): boolean {
  return jwt.split('.').every((segment) => {
    const unusedBits = (segment.length * 6) % 8
    const last = ALPHABET.indexOf(segment.at(-1) ?? 'A')
    return /^[\w-]*$/.test(segment) && unusedBits !== 6 && last % (1 << unusedBits) === 0
  })
}

type Random = () => number

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T // the index is below the length
}

/** Changes at a random place, most of which leave something that looks like a token. */
const MUTATIONS: readonly ((jwt: string, random: Random) => string)[] = [
  (jwt, random) => splice(jwt, random, 1, pick(random, [...ALPHABET])),
  (jwt, random) => splice(jwt, random, 1, pick(random, [...' =+/?.\n\té\u0141'])),
  (jwt, random) => splice(jwt, random, 0, pick(random, [...`${ALPHABET} =+/.\n`])),
  (jwt, random) => splice(jwt, random, 1, ''),
  (jwt, random) => jwt.slice(0, Math.floor(random() * jwt.length)),
  (jwt, random) => jwt.slice(0, -1) + pick(random, [...ALPHABET]),
  (jwt) => `${jwt}=`,
  (jwt) => jwt.split('.').reverse().join('.'),
  (jwt) => jwt.replaceAll('-', '+').replaceAll('_', '/'),
]

function splice(jwt: string, random: Random, removed: number, inserted: string): string {
  const at = Math.floor(random() * jwt.length)
  return jwt.slice(0, at) + inserted + jwt.slice(at + removed)
}

// Two implementations of one standard: where they differ, one of them has a hole. Ours may only be the stricter one,
// and only in what is written non-canonically or calls for an extension.
test('HS256, HS384 and HS512 are judged as jose judges them', async () => {
  const tokens = 1500
  for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
    const random = sequence(Number(alg.slice(2)))
    const secret = Buffer.from(Array.from({ length: 70 }, () => Math.floor(random() * 256)))
    const key = secretVerificationKey(alg, secret)
    const counts = { accepted: 0, refused: 0, stricter: 0 }
    for (let index = 0; index < tokens; index++) {
      const jwt = randomToken(random, alg, secret)
      const ours = await payloadUnder(key, jwt)
      const theirs = await joseJudges(jwt, secret, alg)
      const stricter = theirs !== null && ours === null
      if (stricter) assert.ok(!isCanonical(jwt) || criticalOf(jwt), `${index}: ${jwt}`)
      else assert.deepEqual(ours === null ? null : Buffer.from(ours), theirs, `${index}: ${jwt}`)
      counts[stricter ? 'stricter' : ours === null ? 'refused' : 'accepted']++
    }
    assert.ok(counts.accepted > tokens / 10, `${alg}: ${JSON.stringify(counts)}`)
    assert.ok(counts.refused > tokens / 10, `${alg}: ${JSON.stringify(counts)}`)
  }
})

/** Good in half of the cases, wrong in one way in the others; then changed on the way in half of all. */
function randomToken(random: Random, alg: string, secret: Buffer): string {
  const defect = pick(random, ['none', 'none', 'none', 'none', 'alg', 'member', 'signature', 'secret'])
  const claimed =
    defect === 'alg' ? pick(random, ['HS256', 'HS384', 'HS512', 'none', alg.toLowerCase()]) : alg
  const member = pick(
    random,
    defect === 'member' ? [',"crit":["b64"],"b64":true', ',"crit":["x"]'] : [',"kid":"x"', ''],
  )
  const signedAs = defect === 'signature' ? pick(random, ['HS256', 'HS384', 'HS512']) : alg
  const usedSecret = createSecretKey(defect === 'secret' ? secret.subarray(1) : secret)
  const payload = Buffer.from(
    Array.from({ length: Math.floor(random() * 120) }, () => Math.floor(random() * 256)),
  )
  const jwt = forge(`{"alg":"${claimed}"${member}}`, payload, signedAs, usedSecret)
  return random() < 0.5 ? jwt : pick(random, MUTATIONS)(jwt, random)
}

async function joseJudges(jwt: string, secret: Buffer, alg: string): Promise<Buffer | null> {
  try {
    return Buffer.from((await compactVerify(jwt, secret, { algorithms: [alg] })).payload)
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

function criticalOf(jwt: string): boolean {
  return Buffer.from(jwt.split('.')[0] ?? '', 'base64url').includes('"crit"')
}
