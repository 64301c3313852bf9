import type { JwtAlgorithm, KeySource } from '../../jwt/issuer.ts'
import { Findings } from '../finding.ts'
import { judgeJwtKey, leastSecretBytes } from '../jwt-key.ts'
import type { TokenDocument } from './identity-schema.ts'
import type { Path } from './report.ts'
import type { Trial } from './trial.ts'

/** The operator's own key, good for all of these algorithms; null if it is not, and then a problem says why. */
export async function judgeOwnKey(
  token: TokenDocument,
  algorithms: readonly JwtAlgorithm[],
  path: Path,
  trial: Trial,
): Promise<KeySource | null> {
  const { secret, publicKey = '' } = token
  if (secret !== undefined) {
    // What is long enough for the most demanding is for the others.
    const hardest = algorithms.toSorted((left, right) => leastSecretBytes(right) - leastSecretBytes(left))
    const key = await judgeFor(hardest[0] ?? 'HS256', secret, { token, at: [...path, 'secret'], trial })
    return key === null ? null : { kind: 'secret', secret: key }
  }
  const at = [...path, 'publicKey']
  const text = trial.readPem(at, publicKey)
  if (text === null) return null
  let pem: string | null = null
  for (const algorithm of algorithms) {
    pem = await judgeFor(algorithm, text, { token, at, trial })
    if (pem === null) return null
  }
  return pem === null ? null : { kind: 'pem', pem }
}

interface KeyPlace {
  readonly token: TokenDocument
  readonly at: Path
  readonly trial: Trial
}

async function judgeFor(
  algorithm: JwtAlgorithm,
  text: string,
  { token, at, trial }: KeyPlace,
): Promise<string | null> {
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
  return key
}
