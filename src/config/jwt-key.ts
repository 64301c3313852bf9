import type { JwtAlgorithm } from '../jwt/issuer.ts'
import { type Findings, shown } from './finding.ts'
import { describeReadError } from './read-error.ts'
import type { Variable } from './variable.ts'

export const jwtAlgorithms = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const satisfies readonly JwtAlgorithm[]

/** RFC 7518 section 3.2: a key of at least the hash's size. Bytes. */
const leastBytes: Readonly<Partial<Record<JwtAlgorithm, number>>> = { HS256: 32, HS384: 48, HS512: 64 }

/** Bytes that a secret for it must have; 0 where its keys are no secrets. */
export function leastSecretBytes(algorithm: JwtAlgorithm): number {
  return leastBytes[algorithm] ?? 0
}

/** What the original shipped with: everybody can sign with it. */
const publishedSecret = 'YOUR_DEFAULT_JWT_SECRET_KEY_CHANGE_ME'

export interface JwtKeySource {
  readonly secret: Variable | undefined
  readonly file: Variable | undefined
  /** Null if the setting itself is bad: what depends on it is not judged then. */
  readonly algorithm: JwtAlgorithm | null
  readonly allowWeak: boolean
}

export interface JwtKeyReader {
  /** Throws Node's error, with its `code`. */
  readFile(path: string): Uint8Array
  /**
   * Asked for public keys only. Rejects with an Error whose message is meant for the operator and holds nothing of
   * the key. A promise, so that the code for it is loaded only where one is configured.
   */
  checkKey(algorithm: JwtAlgorithm, key: string): Promise<void>
}

/** How the settings around a key are called where it is configured. */
export interface KeyNames {
  readonly algorithm: string
  readonly allowWeak: string
  /** A sentence that says where to put what is wanted. */
  remedy(what: string): string
}

const VARIABLES: KeyNames = {
  algorithm: 'GATEWAY_JWT_ALGORITHM',
  allowWeak: 'GATEWAY_JWT_ALLOW_WEAK_SECRET',
  remedy: (what) => `Set GATEWAY_JWT_SECRET to ${what}, or GATEWAY_JWT_SECRET_FILE to a file that holds it.`,
}

export interface KeyRules {
  /** Null if the setting itself is bad: what depends on it is not judged then. */
  readonly algorithm: JwtAlgorithm | null
  readonly allowWeak: boolean
  readonly names: KeyNames
}

/** The key tokens are verified with; null if there is none that may be used, and then a problem says why. */
export async function readJwtKey(
  source: JwtKeySource,
  reader: JwtKeyReader,
  findings: Findings,
): Promise<string | null> {
  const rules: KeyRules = { algorithm: source.algorithm, allowWeak: source.allowWeak, names: VARIABLES }
  const found = readText(source, rules, reader, findings)
  return found === null ? null : judgeJwtKey(found, rules, reader, findings)
}

/** The same for a key whose text is already there. */
export async function judgeJwtKey(
  found: KeyText,
  rules: KeyRules,
  reader: Pick<JwtKeyReader, 'checkKey'>,
  findings: Findings,
): Promise<string | null> {
  const { algorithm } = rules
  const { subject, text } = found
  if (text.trim() === '') return refuse(subject, 'yields an empty secret', rules, findings)
  if (text.trim() === publishedSecret) {
    return refuse(subject, 'is the default that the original gateway published', rules, findings)
  }
  if (algorithm === null) return null
  if (algorithm in leastBytes) return judgeSecret(found, { ...rules, algorithm }, findings)
  // One-line variables carry a PEM with its line breaks written out; a backslash is never part of one.
  const key = text.replaceAll('\\n', '\n')
  try {
    await reader.checkKey(algorithm, key)
    return key
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown reason'
    return refuse(subject, `cannot be used: ${reason}`, rules, findings)
  }
}

function refuse(subject: string, clause: string, rules: KeyRules, findings: Findings): null {
  findings.invalid(subject, clause, describeWanted(rules.algorithm), describeRemedy(rules))
  return null
}

export interface KeyText {
  /** What it came from, as the operator writes it. */
  readonly subject: string
  readonly text: string
}

function readText(
  source: JwtKeySource,
  rules: KeyRules,
  reader: JwtKeyReader,
  findings: Findings,
): KeyText | null {
  const { secret, algorithm } = source
  const file = source.file === undefined || source.file.text.trim() === '' ? undefined : source.file
  if (secret !== undefined && secret.text.trim() === '') {
    return refuse(secret.spelling, 'is empty', rules, findings)
  }
  if (secret !== undefined && file !== undefined) {
    const found = `is set together with ${file.spelling}`
    findings.invalid(secret.spelling, found, 'only one of the two', 'Remove one of them.')
    return null
  }
  if (secret !== undefined) return { subject: secret.spelling, text: secret.text }
  if (file !== undefined) return readSecretFile(file, algorithm, reader, findings)
  return refuse('GATEWAY_JWT_SECRET', 'is not set', rules, findings)
}

function readSecretFile(
  file: Variable,
  algorithm: JwtAlgorithm | null,
  reader: JwtKeyReader,
  findings: Findings,
): KeyText | null {
  const path = file.text.trim()
  const found = `names a file (${shown(path, 'path')})`
  const wanted = describeWanted(algorithm)
  let bytes: Uint8Array
  try {
    bytes = reader.readFile(path)
  } catch (error) {
    const clause = `${found} that cannot be read: ${describeReadError(error)}`
    findings.unreadable(file.spelling, clause, wanted, 'Put the file there, or correct the path.')
    return null
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { subject: file.spelling, text: text.replace(/\r?\n$/, '') }
  } catch {
    const clause = `${found} that is not UTF-8`
    findings.invalid(file.spelling, clause, wanted, 'Keep the secret as text, for instance in base64.')
    return null
  }
}

function judgeSecret(
  { subject, text }: KeyText,
  rules: KeyRules & { readonly algorithm: JwtAlgorithm },
  findings: Findings,
): string | null {
  const { algorithm, allowWeak, names } = rules
  // A public key is known to everybody: taken for a secret, it would let anybody sign.
  if (text.includes('-----BEGIN ')) {
    const clause = `holds a PEM key, which is no secret, while ${names.algorithm} is ${algorithm}`
    return refuse(subject, clause, rules, findings)
  }
  const least = leastSecretBytes(algorithm)
  if (Buffer.byteLength(text) < least) {
    if (!allowWeak) {
      const remedy = `${describeRemedy(rules)} To keep a short one: ${names.allowWeak}=true`
      findings.invalid(subject, `is shorter than ${least} bytes`, describeWanted(algorithm), remedy)
      return null
    }
    findings.warn(
      `${subject} is shorter than the ${least} bytes ${algorithm} needs (RFC 7518 section 3.2), so that it can be ` +
        `guessed from a single token; ${names.allowWeak} lets it pass. Replace it.`,
    )
  }
  if (text.trim() !== text)
    findings.warn(`${subject} begins or ends in white space, which is part of the secret.`)
  return text
}

function describeWanted(algorithm: JwtAlgorithm | null): string {
  if (algorithm === null) return 'the secret or public key that tokens are verified with'
  const least = leastBytes[algorithm]
  return least === undefined
    ? `a PEM public key for ${algorithm}`
    : `a secret of at least ${least} bytes, known to nobody but the issuer of the tokens`
}

function describeRemedy({ algorithm, names }: KeyRules): string {
  if (algorithm === null) return names.remedy('it')
  const least = leastBytes[algorithm]
  if (least === undefined) return names.remedy("the issuer's public key")
  return `${names.remedy('the secret the issuer signs with')} \`openssl rand -base64 ${least}\` makes one.`
}
