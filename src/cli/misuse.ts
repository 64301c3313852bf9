import type { Command } from './command.ts'
import { usageOf } from './help.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Ends a command that was used wrongly, with one line and status 2. `fault`: a clause that follows the command's name. */
export function misuse(edge: ProcessEdge, commands: readonly Command[], name: string, fault: string): never {
  const command = commands.find((candidate) => candidate.name === name)
  const usage = command === undefined ? '' : ` Usage: ${usageOf(command)}`
  edge.complain(`nyro: ${name} ${fault}.${usage}\n`)
  return edge.exit(2)
}
