/**
 * What a token costs: found in the cache, and cold by algorithm. Tokens are cut out of request heads, as the gateway
 * gets them, and are all different. Figures are CPU time (user and system) of the whole process, the threads of
 * libuv's pool included, so that neighbours on the machine do not count as waiting; what is asynchronous runs 1 and 32
 * at a time. First what a cached token weighs. Run: node --expose-gc bench/micro/jwt.ts
 */
import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { compactVerify } from 'jose'
import { loadVerificationKey } from '../../src/jwt/key.ts'
import { soleIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'

const ROUNDS = 15
const WORKING_SET = 5_000
const NOW_S = 1_800_000_000
const SECRET = 'bench-secret-0123456789abcdef0123456789abcdef'
const encodedSecret = Buffer.from(SECRET)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

await weigh() // first: later there is other garbage to be mistaken for it

const heads = {
  HS256: headsOf('HS256', WORKING_SET),
  RS256: headsOf('RS256', 1000),
  ES256: headsOf('ES256', 1000),
}

const warm = verifierOf('HS256')
const tokenBytes = cut(heads.HS256[0]).length
for (const head of heads.HS256) expectOk(await warm.verify(cut(head)))
report(`HS256, ${tokenBytes} bytes, found among ${WORKING_SET}`, () => ({
  // New strings each round: one that was looked up before has its hash already.
  received: heads.HS256.map((head) => Buffer.from(head, 'latin1').toString('latin1')),
  once: (token) => expectOk(warm.verify(token)),
}))
report(`HS256, ${tokenBytes} bytes, cold`, () => {
  const cold = verifierOf('HS256')
  return { received: heads.HS256, once: (token) => expectOk(cold.verify(token)) }
})
report(`HS256, ${tokenBytes} bytes, cold and refused`, () => {
  const cold = verifierOf('HS256', 'another-secret-0123456789abcdef0123456789')
  return { received: heads.HS256, once: (token) => expectRefused(cold.verify(token)) }
})

for (const alg of ['RS256', 'ES256'] as const) {
  for (const inFlight of [1, 32]) {
    await reportAsync(
      `${alg}, ${cut(heads[alg][0]).length} bytes, cold, ${inFlight} at a time`,
      heads[alg],
      inFlight,
      () => {
        const cold = verifierOf(alg)
        return async (token) => expectOk(await cold.verify(token))
      },
    )
  }
}

write('for comparison:')
for (const inFlight of [1, 32]) {
  await reportAsync(
    `HS256 by jose, signature alone, ${inFlight} at a time`,
    heads.HS256.slice(0, 1000),
    inFlight,
    () => {
      return async (token) => void (await compactVerify(token, encodedSecret, { algorithms: ['HS256'] }))
    },
  )
}
for (const alg of ['RS256', 'ES256'] as const) {
  const publicKey = createPublicKey(pemOf(alg))
  report(`${alg} by node:crypto, signature alone, on the event loop`, () => ({
    received: heads[alg],
    once: (token) => expectSigned(token, publicKey),
  }))
}

interface Round {
  /** Heads to cut the tokens out of. */
  readonly received: readonly string[]
  readonly once: (token: string) => void
}

function report(what: string, prepare: () => Round): void {
  const nanoseconds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const { received, once } = prepare()
    const before = process.cpuUsage()
    for (const head of received) once(cut(head))
    nanoseconds.push(nanosecondsSince(before) / received.length)
  }
  writeMedian(what, nanoseconds)
}

async function reportAsync(
  what: string,
  all: readonly string[],
  inFlight: number,
  prepare: () => (token: string) => Promise<void>,
): Promise<void> {
  const nanoseconds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const once = prepare()
    const before = process.cpuUsage()
    for (let index = 0; index < all.length; index += inFlight) {
      await Promise.all(all.slice(index, index + inFlight).map((head) => once(cut(head))))
    }
    nanoseconds.push(nanosecondsSince(before) / all.length)
  }
  writeMedian(what, nanoseconds)
}

/** Heap per cached token, its flat copy, identity and places in the Maps included. */
async function weigh(): Promise<void> {
  const collect = globalThis.gc
  if (collect === undefined) {
    write('a cached token: run with --expose-gc to weigh it')
    return
  }
  const verifier = verifierOf('HS256')
  const count = 10_000
  const received = headsOf('HS256', count)
  collect()
  collect()
  const before = process.memoryUsage().heapUsed
  for (const head of received) {
    expectOk(await verifier.verify(cut(Buffer.from(head, 'latin1').toString('latin1'))))
  }
  collect()
  const bytes = (process.memoryUsage().heapUsed - before) / count
  write(`a cached HS256 token of ${cut(received[0]).length} bytes: ${bytes.toFixed(0)} bytes of heap`)
  expectOk(await verifier.verify(cut(received[0]))) // so that it is alive until here
}

function verifierOf(alg: 'HS256' | 'RS256' | 'ES256', secret = SECRET): TokenVerifier {
  const key = loadVerificationKey(alg, alg === 'HS256' ? secret : pemOf(alg))
  return new TokenVerifier({ issuers: [soleIssuer(key, 0)], nowS: () => NOW_S })
}

function pemOf(alg: 'RS256' | 'ES256'): string {
  return (alg === 'RS256' ? rsa : ec).publicKey.export({ type: 'spki', format: 'pem' }).toString()
}

function headsOf(alg: 'HS256' | 'RS256' | 'ES256', count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => {
    const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')
    const claims = {
      sub: `user-${index}`,
      company_id: `acme-${index % 100}`,
      exp: NOW_S + 3600,
      iat: NOW_S,
      jti: `jti-${index}`,
    }
    const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
    const token = `${input}.${signatureOf(alg, input).toString('base64url')}`
    return `GET /api/v1/query/x HTTP/1.1\r\nHost: gw.test\r\nAuthorization: Bearer ${token}\r\nAccept: */*\r\n`
  })
}

function signatureOf(alg: 'HS256' | 'RS256' | 'ES256', input: string): Buffer {
  if (alg === 'HS256') return createHmac('sha256', SECRET).update(input).digest()
  if (alg === 'RS256') return sign('sha256', Buffer.from(input), rsa.privateKey)
  return sign('sha256', Buffer.from(input), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
}

function cut(head = ''): string {
  const start = head.indexOf('Bearer ') + 7
  return head.slice(start, head.indexOf('\r', start))
}

function expectSigned(token: string, key: KeyObject): void {
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  const padding = constants.RSA_PKCS1_PADDING
  const options =
    key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' as const } : { key, padding }
  if (!verify('sha256', Buffer.from(token.slice(0, end)), options, signature)) throw new Error('refused')
}

function expectOk(outcome: unknown): void {
  if (typeof outcome !== 'object' || outcome === null || !('ok' in outcome) || outcome.ok !== true) {
    throw new Error('refused')
  }
}

function expectRefused(outcome: unknown): void {
  if (outcome !== null && typeof outcome === 'object' && 'ok' in outcome && outcome.ok === false) return
  throw new Error('not refused')
}

function nanosecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) * 1000
}

function writeMedian(what: string, nanoseconds: number[]): void {
  nanoseconds.sort((left, right) => left - right)
  const [best = 0, median = 0] = [nanoseconds[0], nanoseconds[ROUNDS >> 1]]
  write(`${what}: ${median.toFixed(0)} ns (best ${best.toFixed(0)})`)
}

function write(line: string): void {
  process.stdout.write(`${line}\n`)
}
