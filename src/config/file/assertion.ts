import { createPrivateKey, type KeyObject } from 'node:crypto'
import { foldName } from '../../lib/fold-name.ts'
import type { AssertionConfig } from '../config.ts'
import { REQUEST_OWNED } from './field-check.ts'
import type { Path, Report } from './report.ts'
import type { AssertionDocument } from './tenant-schema.ts'
import type { Trial } from './trial.ts'

const PLACE: Path = ['tenant', 'assertion']

/** Fields that mean something else already. */
const TAKEN = new Set([...REQUEST_OWNED, 'authorization', 'cookie', 'content-type', 'cache-control'])

/** Null: there is none, or it is bad. `owned`: fields that state or bring something else, folded. */
export function judgeAssertion(
  document: AssertionDocument | undefined,
  owned: ReadonlyMap<string, string>,
  trial: Trial,
): AssertionConfig | null {
  if (document === undefined) return null
  const { header, ttl, issuer, audience = null } = document
  if (TAKEN.has(foldName(header)) || owned.has(foldName(header))) {
    trial.report.problem([...PLACE, 'header'], {
      found: 'names a field with a meaning of its own',
      expected: 'a field that nothing else uses, such as X-Tenant-Assertion',
      remedy: 'Every copy of it that a client sends is dropped: choose another.',
    })
  }
  const written = document.key
  const key = written === undefined ? null : trial.readPem([...PLACE, 'key'], written)
  if (key !== null) checkKey(key, trial.report)
  return { header, ttlS: Math.round(ttl / 1_000), issuer, audience, key }
}

function checkKey(pem: string, report: Report): void {
  const found = faultOf(readKey(pem))
  if (found === null) return
  report.problem([...PLACE, 'key'], {
    found,
    expected: 'a private key on the curve P-256, without a passphrase',
    remedy: '`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one.',
  })
}

function readKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem)
  } catch {
    return null
  }
}

function faultOf(key: KeyObject | null): string | null {
  if (key === null) return 'holds no private key that can be read'
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return null
  return `holds a key of another kind: ${key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'unknown'}`
}
