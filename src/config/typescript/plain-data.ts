/** Something in a config that is not data. */
export interface Foreign {
  readonly path: readonly (string | number)[]
  readonly kind: ForeignKind
}

export type ForeignKind = 'function' | 'symbol' | 'bigint' | 'promise' | 'instance' | 'cycle' | 'depth'

export interface PlainCopy {
  /** Without what is foreign and what is undefined. */
  readonly value: unknown
  readonly foreign: readonly Foreign[]
}

/** Deeper than any configuration; a getter that yields another object each time ends here. */
const MOST_DEPTH = 64

/** Copies what a structured clone can carry and any door may mean: text, numbers, booleans, null, lists, plain objects. */
export function copyPlain(value: unknown): PlainCopy {
  const foreign: Foreign[] = []
  return { value: copy(value, { path: [], above: [], foreign }), foreign }
}

interface Walk {
  readonly path: readonly (string | number)[]
  /** What encloses the value: meeting one of them again is a cycle, meeting a sibling again is not. */
  readonly above: readonly unknown[]
  readonly foreign: Foreign[]
}

function copy(value: unknown, walk: Walk): unknown {
  const kind = judge(value, walk)
  if (kind !== null) {
    walk.foreign.push({ path: walk.path, kind })
    return undefined
  }
  if (typeof value !== 'object' || value === null) return value
  const above = [...walk.above, value]
  const inside = (step: string | number): Walk => ({
    path: [...walk.path, step],
    above,
    foreign: walk.foreign,
  })
  if (Array.isArray(value)) return value.map((item, index) => copy(item, inside(index)))
  if (Object.getOwnPropertySymbols(value).length > 0) walk.foreign.push({ path: walk.path, kind: 'symbol' })
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => [key, copy(member, inside(key))] as const)
  return Object.fromEntries(members)
}

function judge(value: unknown, { above }: Walk): ForeignKind | null {
  if (typeof value === 'function') return 'function'
  if (typeof value === 'symbol') return 'symbol'
  if (typeof value === 'bigint') return 'bigint'
  if (typeof value !== 'object' || value === null) return null
  if (above.includes(value)) return 'cycle'
  if (above.length >= MOST_DEPTH) return 'depth'
  if (Array.isArray(value)) return null
  if (value instanceof Promise) return 'promise'
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype ? null : 'instance'
}
