import { parseArguments } from './arguments.ts'
import { COMMANDS } from './command-table.ts'
import { findCommand, isGroup } from './find-command.ts'
import type { ProcessEdge } from './process-edge.ts'

const flagCommands: Readonly<Record<string, string>> = {
  '--version': 'version',
  '-v': 'version',
  '--help': 'help',
  '-h': 'help',
}

/** Runs the command that the arguments name. Usage errors: one line, exit 2. */
export async function dispatch(edge: ProcessEdge): Promise<void> {
  const [first = 'help', ...behind] = edge.argv
  const word = Object.hasOwn(flagCommands, first) ? (flagCommands[first] ?? first) : first
  const found = findCommand(COMMANDS, [word, ...behind])
  if (found === null) return refuseWord(edge, first, behind)
  const { command, rest } = found
  const parsed = parseArguments(command, rest)
  if (parsed.kind === 'run') {
    const run = await command.load()
    return run(edge, parsed.given, COMMANDS)
  }
  const { helpText, usageOf } = await import('./help.ts')
  if (parsed.kind === 'help') return edge.print(helpText(command))
  const stop = parsed.fault.endsWith('?') ? '' : '.'
  edge.complain(`nyro: ${command.name} ${parsed.fault}${stop} Usage: ${usageOf(command)}\n`)
  edge.exit(2)
}

/** No command is called so; it may be what several begin with. */
async function refuseWord(edge: ProcessEdge, first: string, behind: readonly string[]): Promise<void> {
  const second = behind[0] ?? null
  const { groupText, misuseOfGroup, unknownCommand } = await import('./help.ts')
  if (!isGroup(COMMANDS, first)) edge.complain(unknownCommand(first, COMMANDS))
  else if (second === '--help' || second === '-h') return edge.print(groupText(first, COMMANDS))
  else edge.complain(misuseOfGroup(first, second, COMMANDS))
  edge.exit(2)
}
