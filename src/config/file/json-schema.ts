import { z } from 'zod'
import { gatewaySchema } from './schema.ts'

/** What our own pages need beside what JSON Schema knows. */
const OWN_KEYWORDS = ['accepts', 'unset']

/** For editors: what a configuration file may say, as JSON Schema 2020-12. The same for the same version. */
export function jsonSchema(): object {
  return describe((schema) => {
    for (const keyword of OWN_KEYWORDS) delete schema[keyword]
  })
}

/** The same with `accepts` and `unset` at every key, for the reference page. */
export function documentedSchema(): object {
  return describe(() => {})
}

function describe(change: (schema: Record<string, unknown>) => void): object {
  return z.toJSONSchema(gatewaySchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: schema }) => change(schema),
  })
}
