/**
 * What judges a policy's `with`: anything of the Standard Schema shape (standardschema.dev, version 1: zod, valibot,
 * arktype and others are), or a function that gives the options or throws an Error saying what it expected.
 */
export type PolicySchema<Options> = StandardSchema<Options> | ((value: unknown) => Options)

export interface StandardSchema<Options> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Options> | Promise<StandardResult<Options>>
  }
}

export type StandardResult<Options> =
  | { readonly value: Options; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What is wrong with a `with`: where below it, and what the schema says of it. */
export interface OptionIssue {
  readonly path: readonly string[]
  readonly message: string
}

export type JudgedOptions =
  | { readonly ok: true; readonly options: unknown }
  | { readonly ok: false; readonly issues: readonly OptionIssue[] }

/** Never throws: a schema that does is taken at its word. */
export async function judgeOptions(schema: PolicySchema<unknown>, given: unknown): Promise<JudgedOptions> {
  try {
    // First of all: arktype's schemas are functions too.
    if ('~standard' in schema) return judged(await schema['~standard'].validate(given))
    return { ok: true, options: await schema(given) }
  } catch (error) {
    return {
      ok: false,
      issues: [{ path: [], message: error instanceof Error ? error.message : String(error) }],
    }
  }
}

function judged(result: StandardResult<unknown>): JudgedOptions {
  if (result.issues === undefined) return { ok: true, options: result.value }
  const issues = result.issues.map(({ message, path = [] }) => ({ path: path.map(segmentName), message }))
  return { ok: false, issues }
}

function segmentName(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === 'object' ? segment.key : segment)
}
