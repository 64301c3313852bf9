import type { LogConfig } from '../config/config.ts'
import { jsonString } from './log-line.ts'

/** What an access line says besides what it always says: compiled once a config. */
export interface AccessFormat {
  readonly hasPath: boolean
  readonly hasTenant: boolean
  readonly hasSubject: boolean
  readonly hasClientIp: boolean
  /** The same in every line. */
  readonly added: string
  /** `opening`: everything before the value of the request field (lower case). */
  readonly headers: readonly { readonly opening: string; readonly header: string }[]
}

export function compileAccessFormat({ add, redact }: LogConfig['fields']): AccessFormat {
  return {
    hasPath: !redact.includes('path'),
    hasTenant: !redact.includes('company_id'),
    hasSubject: !redact.includes('subject'),
    hasClientIp: !redact.includes('client_ip'),
    added: add
      .map((field) => ('value' in field ? `,${jsonString(field.name)}:${jsonString(field.value)}` : ''))
      .join(''),
    headers: add.flatMap((field) =>
      'header' in field ? [{ opening: `,${jsonString(field.name)}:`, header: field.header }] : [],
    ),
  }
}

/** Everything, and nothing besides. */
export const PLAIN_ACCESS: AccessFormat = compileAccessFormat({ add: [], redact: [] })
