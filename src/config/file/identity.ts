import type { IssuerConfig, JwtAlgorithm, KeySource } from '../../jwt/issuer.ts'
import { findIssuerProblems, type IssuerDraft } from '../../jwt/issuer-problem.ts'
import { type IdentityDocument, KEY_DEFAULTS, type TokenDocument } from './identity-schema.ts'
import { judgeOwnKey } from './own-key.ts'
import type { Path } from './report.ts'
import type { Salvage } from './salvage.ts'
import type { Trial } from './trial.ts'

/** Whether anything could tell who calls; a section that is bad may well. */
export function hasIdentity({ sections, tokens, failed }: Salvage): boolean {
  return tokens.length > 0 || sections.identity.apiKeys !== undefined || failed.has('identity')
}

/** Whose tokens are believed, as far as they are good. Judges all of them; null stands for one that is bad in itself. */
export async function judgeIssuers(
  tokens: readonly (TokenDocument | null)[],
  claims: IdentityDocument['claims'],
  trial: Trial,
): Promise<readonly IssuerConfig[]> {
  const drafts: (IssuerDraft | null)[] = []
  for (const [index, token] of tokens.entries()) {
    drafts.push(token === null ? null : await draftOf(token, index, claims, trial))
  }
  for (const { index, member, ...fault } of findIssuerProblems(drafts)) {
    trial.report.problem(['identity', 'jwt', index, ...member], fault)
  }
  return drafts.filter(isWhole)
}

function isWhole(draft: IssuerDraft | null): draft is IssuerConfig {
  return draft !== null && draft.keys !== null
}

async function draftOf(
  token: TokenDocument,
  index: number,
  claims: IdentityDocument['claims'],
  trial: Trial,
): Promise<IssuerDraft> {
  const { name, issuer = null, maxLifetime } = token
  const path = ['identity', 'jwt', index]
  const algorithms = judgeAlgorithms(token, path, trial)
  const isSourced = judgeSource(token, path, trial)
  const keys = isSourced && algorithms !== null ? await keysOf(token, algorithms, path, trial) : null
  return {
    name: name ?? (index === 0 ? 'default' : `default-${index + 1}`),
    issuer,
    audience: judgeAudience(token, keys, path, trial),
    algorithms: [...new Set(algorithms ?? [])],
    keys,
    clockSkewS: seconds(token.clockSkew),
    maxLifetimeS: maxLifetime === undefined ? null : seconds(maxLifetime),
    requiredClaims: [...new Set(token.requiredClaims)],
    claims: {
      subject: token.claims.subject ?? claims.subject,
      tenant: token.claims.tenant ?? claims.tenant,
      plan: token.claims.plan ?? claims.plan,
      scopes: token.claims.scopes ?? claims.scopes,
    },
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000)
}

/** Null: they are bad, which was said. */
async function keysOf(
  token: TokenDocument,
  algorithms: readonly JwtAlgorithm[],
  path: Path,
  trial: Trial,
): Promise<KeySource | null> {
  const { secret, publicKey, jwks, issuer } = token
  if (secret === undefined && publicKey === undefined) {
    const { refresh, cooldown, maxStale, plainHosts } = token.keys ?? KEY_DEFAULTS
    return {
      kind: jwks === undefined ? 'discovery' : 'jwks',
      url: jwks ?? issuer ?? '',
      refreshMs: refresh,
      cooldownMs: cooldown,
      maxStaleMs: maxStale,
      plainHosts,
    }
  }
  if (token.keys !== undefined) {
    trial.report.problem([...path, 'keys'], {
      found: 'is set while the key stands here',
      expected: '`keys` with `jwks` or with an issuer alone',
      remedy: 'Remove it: nothing is fetched.',
    })
  }
  return judgeOwnKey(token, algorithms, path, trial)
}

function judgeAudience(
  { audience }: TokenDocument,
  keys: KeySource | null,
  path: Path,
  { report }: Trial,
): readonly string[] {
  if (Array.isArray(audience) && audience.length === 0) {
    report.problem([...path, 'audience'], {
      found: 'is empty',
      expected: 'at least one audience',
      remedy: 'Remove it, and `aud` is not looked at.',
    })
  }
  if (audience === undefined && (keys?.kind === 'jwks' || keys?.kind === 'discovery')) {
    report.warn(path, 'has no audience: it takes tokens that were meant for anybody (RFC 8725 section 3.9).')
  }
  if (audience === undefined) return []
  return typeof audience === 'string' ? [audience] : [...new Set(audience)]
}

/** Null: they are bad. */
function judgeAlgorithms(
  token: TokenDocument,
  path: Path,
  { report }: Trial,
): readonly JwtAlgorithm[] | null {
  const { algorithms } = token
  if (algorithms === undefined && token.secret !== undefined) return ['HS256']
  const at = [...path, 'algorithms']
  if (algorithms === undefined || algorithms.length === 0) {
    report.problem(at, {
      found: algorithms === undefined ? 'is missing' : 'is empty',
      expected: 'at least one algorithm, such as [RS256]',
      remedy: 'A token must not choose how it is verified: name what the issuer signs with.',
    })
    return null
  }
  // With an HS algorithm, a public key would be a secret that everybody knows.
  const wantSecret = token.secret !== undefined
  const wrong = algorithms.findIndex((algorithm) => algorithm.startsWith('HS') !== wantSecret)
  if (wrong < 0) return algorithms
  report.problem([...at, wrong], {
    found: `is ${algorithms[wrong] ?? ''}, which takes ${wantSecret ? 'a public key' : 'a secret'}`,
    expected: wantSecret ? 'HS256, HS384 or HS512 with `secret`' : 'an algorithm for public keys',
    remedy: 'Keep secrets and public keys in entries of their own.',
  })
  return null
}

function judgeSource(token: TokenDocument, path: Path, { report }: Trial): boolean {
  const given = (['secret', 'publicKey', 'jwks'] as const).filter((key) => token[key] !== undefined)
  if (given.length === 1 || (given.length === 0 && token.issuer !== undefined)) return true
  report.problem(path, {
    found: given.length === 0 ? 'names no key' : `has ${given.join(' and ')}`,
    expected: 'exactly one of secret, publicKey and jwks, or an issuer alone',
    remedy: given.length === 0 ? 'Add the one that its tokens are signed for.' : 'Keep one of them.',
  })
  return false
}
