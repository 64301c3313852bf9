import type { JwtAlgorithm, JwtConfig } from '../config.ts'
import { Findings } from '../finding.ts'
import { judgeJwtKey } from '../jwt-key.ts'
import type { TokenDocument } from './identity-schema.ts'
import { isSecretAlgorithm } from './list-format.ts'
import type { Path } from './report.ts'
import type { Salvage } from './salvage.ts'
import type { Trial } from './trial.ts'

/** Whether anything could tell who calls; a section that is bad may well. */
export function hasIdentity({ sections, tokens, failed }: Salvage): boolean {
  return tokens.length > 0 || sections.identity.apiKeys !== undefined || failed.has('identity')
}

/** The one key tokens are verified with; null where there is none that this version honours. Judges all of them. */
export async function judgeIdentity(
  tokens: readonly (TokenDocument | null)[],
  trial: Trial,
): Promise<JwtConfig | null> {
  let first: JwtConfig | null = null
  const names = new Map<string, number>()
  for (const [index, token] of tokens.entries()) {
    if (token === null) continue
    const path = ['identity', 'jwt', index]
    if (token.name !== undefined) {
      const other = names.get(token.name)
      if (other !== undefined) {
        trial.report.problem([...path, 'name'], {
          found: `is the name of identity.jwt[${other}] too`,
          expected: 'a name of its own',
          remedy: 'Change one of the two.',
        })
      }
      names.set(token.name, index)
    }
    const judged = await judgeToken(token, path, trial)
    first ??= judged
  }
  return first
}

async function judgeToken(token: TokenDocument, path: Path, trial: Trial): Promise<JwtConfig | null> {
  const algorithms = judgeAlgorithms(token, path, trial)
  if (!judgeSource(token, path, trial) || algorithms === null) return null
  const [algorithm = 'HS256'] = algorithms
  const written = token.secret ?? token.publicKey
  if (written === undefined) return null
  const at = [...path, token.secret === undefined ? 'publicKey' : 'secret']
  const text = token.secret ?? trial.readPem(at, written)
  if (text === null) return null
  const findings = new Findings()
  const rules = {
    algorithm,
    allowWeak: token.allowWeakSecret,
    names: {
      algorithm: '`algorithms`',
      allowWeak: 'allowWeakSecret',
      remedy: (what: string) => `Put ${what} there, for instance by "\${NAME}" or "\${file:/path}".`,
    },
  }
  const key = await judgeJwtKey({ subject: '', text }, rules, trial.source, findings)
  for (const { found, expected, remedy } of findings.problems) {
    trial.report.problem(at, { found, expected, remedy: remedy.replace('=true', ': true') })
  }
  for (const warning of findings.warnings) trial.report.warn(at, warning.trim())
  return key === null ? null : { key, algorithm, clockSkewS: Math.round(token.clockSkew / 1_000) }
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
  const wrong = algorithms.findIndex((algorithm) => isSecretAlgorithm(algorithm) !== wantSecret)
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
