import { routeTable, routeTableText } from '../explain/route-table.ts'
import type { Arguments } from './arguments.ts'
import { loadSettings } from './load-settings.ts'
import type { ProcessEdge } from './process-edge.ts'
import { describeRefusal } from './refusal.ts'

/** Prints the table of routes in match order. Exits 0, or 1 where the configuration is bad. */
export async function routes(edge: ProcessEdge, { operands, options }: Arguments): Promise<void> {
  const loaded = await loadSettings(edge, operands[0] ?? null)
  if (loaded.config === null) {
    edge.complain(describeRefusal('there is no table', loaded.problems, loaded.warnings))
    return edge.exit(1)
  }
  const rows = routeTable(loaded.config)
  edge.print(options.has('json') ? `${JSON.stringify(rows, null, 2)}\n` : routeTableText(rows))
}
