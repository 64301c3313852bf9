import { extname } from 'node:path'
import { parseApiKeys } from '../../api-keys/parse-api-keys.ts'
import type { ApiKeysConfig } from '../config.ts'
import { readJson, readYaml } from './document.ts'
import type { IdentityDocument } from './identity-schema.ts'
import type { Place } from './report.ts'
import type { Trial } from './trial.ts'

const PATH = ['identity', 'apiKeys', 'file']

/**
 * Reads the file of hashed keys; null where none is configured or it is bad, and then problems name its lines. `plans`:
 * names of those there are.
 */
export function loadApiKeys(
  document: IdentityDocument['apiKeys'],
  plans: readonly string[],
  trial: Trial,
): ApiKeysConfig | null {
  if (document === undefined) return null
  const { header, file } = document
  const text = trial.readText(PATH, file, 'a file of hashed keys, which `nyro apikey create` makes')
  if (text === null) return null
  const label = trial.report.fileLabel(PATH, file)
  const told = (place: Place | null, text: string): string =>
    `${place === null ? label : `${label}:${place.line}:${place.column}`} ${text}`
  const { value, faults, locate } = extname(file).toLowerCase() === '.json' ? readJson(text) : readYaml(text)
  for (const fault of faults) trial.report.problemLine(told(fault.place, fault.text))
  // A file that cannot be read as a whole is not taken for an empty one.
  if (faults.length > 0) return null
  const { problems } = parseApiKeys(value)
  for (const { entry, member, text } of problems ?? []) {
    const path = entry === null ? [] : member === null ? [entry] : [entry, member]
    trial.report.problemLine(told(locate(path, 'value'), text))
  }
  if (problems !== null) return null
  // Judged just now: a list of objects, or nothing at all.
  const entries = (value ?? []) as readonly Readonly<Record<string, unknown>>[]
  for (const [index, { plan }] of entries.entries()) {
    if (plan === undefined || plans.length === 0 || plans.includes(String(plan))) continue
    const place = locate([index, 'plan'], 'value')
    trial.report.warnLine(
      told(place, `keys[${index}].plan is no plan of \`tenant.plans\`: the default holds.`),
    )
  }
  return { field: header, entries }
}
