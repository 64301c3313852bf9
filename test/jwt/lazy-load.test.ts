import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { CLAIMS, SECRET, token } from '../support/token.ts'

test('jose is loaded by the first token with a public key, and by nothing before', async () => {
  const loaded: string[] = []
  const hooks = registerHooks({
    resolve(specifier, parent, next) {
      const resolved = next(specifier, parent)
      if (resolved.url.includes('/node_modules/')) loaded.push(specifier)
      return resolved
    },
  })
  try {
    await import('../../src/policies/jwt.ts')
    const { loadVerificationKey } = await import('../../src/jwt/key.ts')
    const { TokenVerifier } = await import('../../src/jwt/verify.ts')
    const { soleIssuer } = await import('../../src/jwt/live-issuer.ts')
    const nowS = (): number => 0

    const secret = new TokenVerifier({ issuers: [soleIssuer(loadVerificationKey('HS256', SECRET), 0)], nowS })
    assert.equal((await secret.verify(token())).ok, true)
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const open = new TokenVerifier({ issuers: [soleIssuer(loadVerificationKey('EdDSA', pem), 0)], nowS })
    assert.equal(loaded.join(), '')

    assert.equal((await open.verify(token(CLAIMS, { alg: 'EdDSA', key: privateKey }))).ok, true)
    assert.ok(loaded.includes('jose/jws/compact/verify'))
    assert.ok(!loaded.includes('jose'), 'never the whole of it')
  } finally {
    hooks.deregister()
  }
})
