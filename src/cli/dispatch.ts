import { parseArguments } from './arguments.ts'
import { COMMANDS, type Command } from './command.ts'
import type { ProcessEdge } from './process-edge.ts'

const flagCommands: Readonly<Record<string, string>> = {
  '--version': 'version',
  '-v': 'version',
  '--help': 'help',
  '-h': 'help',
}

/** Runs the command that the arguments name. Usage errors: one line, exit 2. */
export async function dispatch(edge: ProcessEdge): Promise<void> {
  const [word = 'help', ...rest] = edge.argv
  const command = findCommand(word)
  if (command === null) {
    const { unknownCommand } = await import('./help.ts')
    edge.complain(unknownCommand(word, COMMANDS))
    return edge.exit(2)
  }
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

function findCommand(word: string): Command | null {
  const name = Object.hasOwn(flagCommands, word) ? flagCommands[word] : word
  return COMMANDS.find((command) => command.name === name) ?? null
}
