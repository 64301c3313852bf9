/**
 * What identity costs beside the signature (bench/micro/jwt.ts): a revocation check, an API key, a token refused for an
 * unknown kid. CPU time (user and system) of the process, median of the rounds. Run: node --expose-gc bench/micro/identity.ts
 */
import { createHmac, generateKeyPairSync, randomFillSync, sign } from 'node:crypto'
import { ApiKeySet } from '../../src/api-keys/api-key-set.ts'
import { apiKeyHash, createApiKey } from '../../src/api-keys/key-text.ts'
import type { IssuerConfig } from '../../src/jwt/issuer.ts'
import { loadVerificationKey } from '../../src/jwt/key.ts'
import { KeyRequests } from '../../src/jwt/key-request.ts'
import { compileIssuer, soleIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'
import { CLAIM_NAMES } from '../../src/lib/claim.ts'
import { ApiKeyCheck } from '../../src/policies/api-key.ts'
import { identityPolicy } from '../../src/policies/identity.ts'
import { jwtPolicy } from '../../src/policies/jwt.ts'
import { Exchange, type Identity } from '../../src/proxy/exchange.ts'
import type { Route } from '../../src/proxy/route.ts'
import { RevocationSet } from '../../src/revocation/revocation-set.ts'

const ROUNDS = 11
const NOW_S = 1_800_000_000
const SECRET = 'bench-secret-0123456789abcdef0123456789abcdef'
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const identity: Identity = {
  ...{ subject: 'user-1', tenant: 'acme', expiresAtS: NOW_S + 60, plan: null, issuer: 'idp', jti: 'jti-1' },
  ...{ scopes: new Set<string>(), claims: new Map() },
}

const none = new RevocationSet()
report('a revocation check, nothing revoked', 2_000_000, () => none.covers(identity, NOW_S))
const before = heapBytes()
const many = new RevocationSet()
for (let index = 0; index < 100_000; index++)
  many.revoke({
    kind: 'jti',
    value: `3f2504e0-4f89-41d3-9a0c-${String(index).padStart(12, '0')}`,
    untilS: NOW_S,
  })
console.log(`100,000 revocations: ${((heapBytes() - before) / 2 ** 20).toFixed(1)} MiB of heap`)
report('a revocation check, 100,000 revoked', 1_000_000, () => many.covers(identity, NOW_S))

const texts = Array.from({ length: 1_000 }, () => createApiKey(randomFillSync))
const keys = new ApiKeySet(new Map(texts.map((text) => [apiKeyHash(text), identity])))
report('an API key found among 1,000', 50_000, (index) => keys.find(texts[index % texts.length] ?? ''))
report('a text that is no API key', 500_000, () => keys.find('nyro_000000000000000000000000000000000000000'))

const own = new TokenVerifier({
  issuers: [soleIssuer(loadVerificationKey('HS256', SECRET), 0)],
  nowS: () => NOW_S,
})
const exchange = askedWith(`Bearer ${ownToken()}`)
const isRevoked = (who: Identity): boolean => none.size > 0 && none.covers(who, NOW_S)
const plain = jwtPolicy(own)
const checked = jwtPolicy(own, 'required', isRevoked)
const full = identityPolicy({
  ...{ tokens: own, apiKeys: new ApiKeyCheck({ field: 'X-API-Key', keys }), auth: 'required', isRevoked },
  ...{ sources: [{ kind: 'header' }], origins: new Set<string>(), nowS: () => NOW_S },
})
report('the jwt policy, a cached token', 1_000_000, () => plain.admit(exchange))
report('the same with revocations, none there', 1_000_000, () => checked.admit(exchange))
report('the identity policy with API keys, the same token', 1_000_000, () => full.admit(exchange))

const verifier = remoteVerifier()
const unknown = Array.from({ length: 1_000 }, (_, index) => signed(`kid-${index}`))
report('a token refused for its unknown kid', 20_000, (index) =>
  verifier.verify(unknown[index % 1_000] ?? ''),
)

function remoteVerifier(): TokenVerifier {
  const config: IssuerConfig = {
    ...{ name: 'idp', issuer: 'https://id.example.com', audience: [], algorithms: ['ES256'] },
    ...{ clockSkewS: 0, maxLifetimeS: null, requiredClaims: [], claims: CLAIM_NAMES },
    keys: {
      ...{ kind: 'jwks', url: 'https://id.example.com/jwks', plainHosts: [] },
      ...{ refreshMs: 600_000, cooldownMs: 30_000, maxStaleMs: 86_400_000 },
    },
  }
  const keyRequests = new KeyRequests({
    nowMs: () => performance.now(),
    startTimer: () => () => {},
    send: () => {},
  })
  // Asked just now: what follows is between two questions.
  void keyRequests.ask('idp', '', 3_600_000)
  keyRequests.answered({ kind: 'keys-checked', issuer: 'idp', retryMs: 3_600_000 })
  return new TokenVerifier({ issuers: [compileIssuer(config)], nowS: () => NOW_S, keyRequests })
}

function ownToken(): string {
  const input = [{ alg: 'HS256' }, { sub: 'u', company_id: 'acme', exp: NOW_S + 60 }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`
}

/** A request with one Authorization field among four. */
function askedWith(authorization: string): Exchange {
  const names = ['host', 'accept', 'authorization', 'user-agent']
  const head = {
    ...{ method: 'GET', target: '/', path: '/', host: 'a', minor: 1, get: () => null },
    find: (name: string, from: number) => names.indexOf(name, from),
    value: () => authorization,
  }
  // The policies look at nothing of a route.
  return new Exchange(head, {} as Route, '127.0.0.1', 'http', 'id', 0)
}

function signed(kid: string): string {
  const { privateKey } = pair
  const claims = { sub: 'u', company_id: 'acme', exp: NOW_S + 60, iss: 'https://id.example.com' }
  const input = [{ alg: 'ES256', kid }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

function report(what: string, times: number, once: (index: number) => unknown): void {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.cpuUsage()
    for (let index = 0; index < times; index++) once(index)
    const { user, system } = process.cpuUsage(start)
    return ((user + system) * 1_000) / times
  }).sort((one, other) => one - other)
  console.log(`${what}: ${(rounds[(ROUNDS - 1) / 2] ?? 0).toFixed(1)} ns`)
}

function heapBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
