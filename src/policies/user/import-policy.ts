import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { resolveProduct } from '../../lib/product-module.ts'
import type { PolicyDefinition } from './define-policy.ts'
import { isFieldName } from './field-grammar.ts'
import { oneLine } from './policy-problem.ts'
import { isReservedRequestField } from './reserved-field.ts'

const DEFAULT_TIMEOUT_MS = 5_000
const MAX_TIMEOUT_MS = 60_000
const KIND = /^[a-z][a-z0-9-]{0,63}$/
const PLACE = /(?:file:\/\/)?(\/[^\n]*?\.[cm]?[jt]s):(\d+)/g

/** A policy's file, imported and found to be of the right shape. */
export interface ImportedPolicy {
  readonly kind: string
  /** As written. */
  readonly owns: readonly string[]
  readonly timeoutMs: number
  readonly schema: PolicyDefinition<unknown>['schema'] | null
  readonly create: PolicyDefinition<unknown>['create']
}

export type PolicyImport =
  | { readonly ok: true; readonly policy: ImportedPolicy }
  | { readonly ok: false; readonly texts: readonly string[] }

let isProductResolved = false

/** Frames of the product's own in a stack say nothing of the author's file. */
const PRODUCT = new URL('../../', import.meta.url).pathname

/** Imports a policy's file once a thread, however often it is asked for. `tenantField`: as configured. */
export async function importPolicy(path: string, tenantField: string): Promise<PolicyImport> {
  if (!isProductResolved) resolveProduct()
  isProductResolved = true
  if (!existsSync(path))
    return { ok: false, texts: [`there is no file ${oneLine(path)}; expected a policy's module`] }
  let exports: Readonly<Record<string, unknown>>
  try {
    exports = await import(pathToFileURL(path).href)
  } catch (error) {
    return { ok: false, texts: [importFault(path, error)] }
  }
  return shapeOf(exports['policy'], tenantField)
}

/** With the line by the stack: of the file itself where it is in there, else of the first file of the author's. */
function importFault(path: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const places = [...stack.matchAll(PLACE)]
    .map(([, file = '', line = '']) => ({ file: file.replaceAll('%20', ' '), line }))
    .filter(({ file }) => !file.startsWith(PRODUCT))
  const place = places.find(({ file }) => file === path) ?? places[0]
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return `the file ${oneLine(path)} cannot be loaded${whereOf(place, path)}: ${oneLine(message)}; expected a module that exports policy = definePolicy({ ... })`
}

function whereOf(place: { readonly file: string; readonly line: string } | undefined, path: string): string {
  if (place === undefined) return ''
  return place.file === path ? ` at line ${place.line}` : ` at ${oneLine(place.file)}:${place.line}`
}

function shapeOf(value: unknown, tenantField: string): PolicyImport {
  if (value === undefined)
    return {
      ok: false,
      texts: ['the file has no export named policy; expected export const policy = definePolicy({ ... })'],
    }
  if (typeof value !== 'object' || value === null)
    return { ok: false, texts: ['its export policy is no object; expected what definePolicy({ ... }) gives'] }
  const {
    kind,
    owns = [],
    schema = null,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    create,
  } = value as Record<string, unknown> // any object may be looked at so
  const texts: string[] = []
  if (typeof kind !== 'string' || !KIND.test(kind))
    texts.push('its kind is missing or malformed; expected a name of lower-case letters, digits and dashes')
  if (typeof create !== 'function')
    texts.push('its create is missing; expected a function create(options, parts)')
  if (schema !== null && typeof schema !== 'function' && !isStandard(schema))
    texts.push('its schema is neither a Standard Schema nor a function; expected one of them, or none')
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS))
    texts.push(`its timeoutMs is out of range; expected 1 to ${MAX_TIMEOUT_MS} milliseconds`)
  texts.push(...ownFaults(owns, tenantField))
  if (texts.length > 0) return { ok: false, texts }
  // Every member was looked at above; what functions take and give is judged where they are called.
  return { ok: true, policy: { kind, owns, schema, timeoutMs, create } as ImportedPolicy }
}

function isStandard(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null || !('~standard' in schema)) return false
  const standard = schema['~standard']
  return (
    typeof standard === 'object' &&
    standard !== null &&
    'validate' in standard &&
    typeof standard.validate === 'function'
  )
}

function ownFaults(owns: unknown, tenantField: string): string[] {
  if (!Array.isArray(owns)) return ['its owns is no list; expected field names, or none']
  return owns.flatMap((name: unknown) => {
    if (typeof name !== 'string' || !isFieldName(name))
      return ['its owns lists what is no field name; expected names like X-Identity-Assertion']
    if (!isReservedRequestField(name, tenantField)) return []
    return [
      `its owns lists ${name}, which the gateway states itself or which means something on every route; choose a field of your own`,
    ]
  })
}
