export interface ImportStatement {
  /** As written: a relative path or a package's name. */
  readonly specifier: string
  /** `static` is loaded with the importing file, `dynamic` when its expression is reached, `type` never. */
  readonly kind: 'static' | 'dynamic' | 'type'
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\bfrom\s+)?'([^']+)'/gm
const EXPRESSION = /\bimport\(\s*'([^']+)'\s*\)(\.[A-Z]\w*)?/g

/** Every import and re-export of a file in the house's format, where a statement begins its line. */
export function importStatements(text: string): readonly ImportStatement[] {
  const statements = [...text.matchAll(STATEMENT)].map(
    ([, type, specifier = '']): ImportStatement => ({
      specifier,
      kind: type === undefined ? 'static' : 'type',
    }),
  )
  const expressions = [...text.matchAll(EXPRESSION)].map(
    ([, specifier = '', typeName]): ImportStatement => ({
      specifier,
      kind: typeName === undefined ? 'dynamic' : 'type',
    }),
  )
  return [...statements, ...expressions]
}
