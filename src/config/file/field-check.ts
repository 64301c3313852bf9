import { foldName } from '../../lib/fold-name.ts'
import {
  GATEWAY_REQUEST_FIELDS,
  GATEWAY_RESPONSE_FIELDS,
  HOP_BY_HOP,
  PEER_FIELDS,
} from '../../lib/gateway-field.ts'
import { fieldName } from './match-format.ts'
import type { Path, Report } from './report.ts'
import type { RouteDocument } from './route-schema.ts'

/** Belong to one connection, or say where a message ends (RFC 9112 section 6). */
const OF_THE_MESSAGE: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length'])

/** Contract section 5: what the gateway states or judges itself. */
export const REQUEST_OWNED: ReadonlySet<string> = new Set([
  ...OF_THE_MESSAGE,
  ...GATEWAY_REQUEST_FIELDS,
  ...PEER_FIELDS,
  ...['host', 'expect', 'via'],
])

/** CORS fields apart. */
export const RESPONSE_OWNED: ReadonlySet<string> = new Set([
  ...OF_THE_MESSAGE,
  ...GATEWAY_RESPONSE_FIELDS,
  'date',
])

/** Fields that configuration must leave to the gateway. `owned`: folded names beside the fixed ones, each with a remedy. */
export function checkFieldChanges(
  headers: RouteDocument['headers'],
  path: Path,
  owned: ReadonlyMap<string, string>,
  report: Report,
): void {
  const request = new Set([...REQUEST_OWNED, ...owned.keys()])
  for (const side of ['request', 'response'] as const) {
    const changes = headers[side]
    const taken = side === 'request' ? request : RESPONSE_OWNED
    const names: [Path, string][] = [
      ...Object.keys(changes.set).map((name): [Path, string] => [[...path, side, 'set', name], name]),
      ...Object.keys(changes.add).map((name): [Path, string] => [[...path, side, 'add', name], name]),
      ...changes.remove.map((name, index): [Path, string] => [[...path, side, 'remove', index], name]),
    ]
    for (const [at, name] of names) checkField(at, name, { taken, owned }, report)
    for (const kind of ['set', 'add'] as const) checkTwice(changes[kind], [...path, side, kind], report)
  }
}

interface Taken {
  readonly taken: ReadonlySet<string>
  readonly owned: ReadonlyMap<string, string>
}

function checkField(path: Path, name: string, { taken, owned }: Taken, report: Report): void {
  if (!fieldName.parse(name).fits) {
    const remedy = 'Letters, digits and - are safe.'
    report.problem(path, { found: 'is no field name', expected: fieldName.accepts, remedy, end: 'key' })
    return
  }
  const folded = foldName(name)
  // Fetch standard: what the gateway answers to browsers is one whole.
  const cors = taken === RESPONSE_OWNED && folded.startsWith('access-control-')
  if (!cors && !taken.has(folded)) return
  report.problem(path, {
    found: 'names a field that the gateway owns',
    expected: 'any other field',
    remedy: owned.get(folded) ?? remedyFor(folded),
    end: 'key',
  })
}

function remedyFor(folded: string): string {
  if (folded.startsWith('access-control-')) return 'Use `cors`.'
  if (folded === 'host') return "Use the upstream's `hostHeader`, or an endpoint with that name."
  return OF_THE_MESSAGE.has(folded)
    ? 'It belongs to the connection, which the gateway makes itself.'
    : 'Remove it: the gateway sets it on every exchange.'
}

function checkTwice(values: Readonly<Record<string, string>>, path: Path, report: Report): void {
  const seen = new Set<string>()
  for (const name of Object.keys(values)) {
    const lower = name.toLowerCase()
    if (seen.has(lower)) {
      report.problem([...path, name], {
        found: 'names a field for the second time',
        expected: 'each field once, letter case aside',
        remedy: 'Remove one of the two.',
        end: 'key',
      })
    }
    seen.add(lower)
  }
}
