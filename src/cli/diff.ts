import type { Config } from '../config/config.ts'
import { configDifference, type Difference } from '../config/difference.ts'
import type { Arguments } from './arguments.ts'
import { loadSettings } from './load-settings.ts'
import type { ProcessEdge } from './process-edge.ts'
import { describeRefusal } from './refusal.ts'

/** Says what changes from one configuration to another. Exits 0 if nothing does, 1 if something does, 2 in trouble. */
export async function diff(edge: ProcessEdge, { operands, options }: Arguments): Promise<void> {
  const [before = '', after = ''] = operands
  const differences = configDifference(await load(edge, before), await load(edge, after))
  edge.print(
    options.has('json') ? `${JSON.stringify(differences, null, 2)}\n` : differences.map(describe).join(''),
  )
  edge.exit(differences.length === 0 ? 0 : 1)
}

async function load(edge: ProcessEdge, file: string): Promise<Config> {
  const loaded = await loadSettings(edge, file)
  if (loaded.config !== null) return loaded.config
  edge.complain(describeRefusal('nothing was compared', loaded.problems, loaded.warnings))
  return edge.exit(2)
}

function describe({ words, needsRestart }: Difference): string {
  return `${words}${needsRestart ? ' (needs a restart)' : ''}\n`
}
