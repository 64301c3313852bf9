import { documentedSchema } from '../src/config/file/json-schema.ts'

/** One key of the configuration file, as the reference page lists it. */
export interface ReferenceRow {
  /** `routes[].match.path` */
  readonly path: string
  readonly fallback: string
  readonly accepts: string
  readonly meaning: string
}

/** JSON Schema as far as zod makes it, with our own keywords. */
interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly accepts?: string
  readonly unset?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

/** Every key that a configuration file may have, in the order of the schema. */
export function configFileReference(): readonly ReferenceRow[] {
  // What z.toJSONSchema yields is typed as any object.
  const root = documentedSchema() as SchemaNode
  return membersOf(root, '')
}

function membersOf(node: SchemaNode, path: string): readonly ReferenceRow[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`
    return [
      rowOf(member, at, { isRequired: node.required?.includes(name) === true }),
      ...membersOf(member, at),
    ]
  })
  const named = typeof node.additionalProperties === 'object' ? node.additionalProperties : null
  return [
    ...own,
    ...(named === null ? [] : membersOf(named, `${path}.<name>`)),
    ...(node.items === undefined ? [] : membersOf(node.items, `${path}[]`)),
    ...(node.anyOf ?? []).flatMap((branch) => membersOf(branch, path)),
  ]
}

function rowOf(
  node: SchemaNode,
  path: string,
  { isRequired }: { readonly isRequired: boolean },
): ReferenceRow {
  return {
    path,
    fallback: isRequired ? 'required' : fallbackOf(node),
    accepts: acceptsOf(node),
    meaning: node.description ?? '',
  }
}

function fallbackOf(node: SchemaNode): string {
  if (node.default === undefined) return node.unset ?? ''
  if (isEmptyObject(node.default)) return ''
  return `\`${Array.isArray(node.default) ? `[${node.default.join(', ')}]` : node.default === '' ? '""' : String(node.default)}\``
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function acceptsOf(node: SchemaNode): string {
  if (node.accepts !== undefined) return node.accepts
  if (node.items !== undefined) return `a list: ${acceptsOf(node.items)}`
  if (typeof node.additionalProperties === 'object') {
    return `names, each with ${acceptsOf(node.additionalProperties)}`
  }
  if (node.properties !== undefined) return 'an object'
  return (node.anyOf ?? []).map(acceptsOf).join(', or ')
}
