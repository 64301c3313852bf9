import type { KeyFileEntry } from '../config/file/key-file.ts'
import { distance } from './time-text.ts'

/** A key as it may be shown. */
export interface ListedKey extends Omit<KeyFileEntry, 'hash'> {
  readonly state?: 'good' | 'expired'
  /** In words; only where it ends. */
  readonly ends?: string
}

export function listedKeys(entries: readonly KeyFileEntry[], nowS: number): readonly ListedKey[] {
  return entries.map(({ hash: _, ...entry }) => {
    if (entry.expires == null) return { ...entry, state: 'good' }
    const atS = Date.parse(entry.expires) / 1_000
    return { ...entry, state: atS > nowS ? 'good' : 'expired', ends: distance(atS, nowS) }
  })
}

/** One line: `ci  nyro_AbCdEfGh…  acme  scopes ingest:write  plan pro  expires 2030-01-31 (in 3 days)` */
export function describeKey({
  name,
  prefix,
  tenant,
  scopes = [],
  plan,
  expires,
  state,
  ends,
}: ListedKey): string {
  const end = expires === undefined ? '' : `${state === 'expired' ? 'EXPIRED' : 'expires'} ${expires}`
  return [
    name,
    `${prefix}…`,
    tenant,
    ...(scopes.length === 0 ? [] : [`scopes ${scopes.join(' ')}`]),
    ...(plan === undefined ? [] : [`plan ${plan}`]),
    ...(end === '' ? [] : [ends === undefined ? end : `${end} (${ends})`]),
  ].join('  ')
}
