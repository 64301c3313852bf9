import { FAILURES } from '../proxy/failure.ts'

/** The methods told apart, by their place among the counts; whatever else a client sends is the last. */
export const METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'other',
]
const OTHER_METHOD = METHODS.length - 1

/** By the first digit of a status; the first stands for exchanges that ended without one. */
export const STATUS_CLASSES: readonly string[] = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

/** The failures told apart: those of the closed table, then whatever else may be named by an operator's policy. */
export const FAILURE_CODES: readonly string[] = [...Object.keys(FAILURES), 'other']

const METHOD_PLACES: ReadonlyMap<string, number> = placesOf(METHODS)
const CODE_PLACES: ReadonlyMap<string, number> = placesOf(FAILURE_CODES)
/** Whether the fault was an upstream's: then nobody was refused. */
const FROM_UPSTREAM: readonly boolean[] = [
  ...Object.values(FAILURES).map(({ side }) => side === 'upstream'),
  false,
]

export function methodPlace(method: string): number {
  // By far the most, and a comparison of two pointers.
  return method === 'GET' ? 0 : (METHOD_PLACES.get(method) ?? OTHER_METHOD)
}

/** A status of no known class counts as none. */
export function statusPlace(status: number): number {
  const digit = Math.trunc(status / 100)
  return digit < STATUS_CLASSES.length ? digit : 0
}

export function codePlace(code: string): number {
  return CODE_PLACES.get(code) ?? FAILURE_CODES.length - 1
}

/** Whether the gateway refused, where another may have failed. */
export function isRefusal(code: string): boolean {
  return FROM_UPSTREAM[codePlace(code)] !== true
}

function placesOf(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, place) => [name, place]))
}
