import { jsonSchema } from '../config/file/json-schema.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Prints the JSON Schema of configuration files. */
export function schema(edge: ProcessEdge): void {
  edge.print(`${JSON.stringify(jsonSchema(), null, 2)}\n`)
}
