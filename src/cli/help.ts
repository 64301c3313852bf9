import type { Command } from './command.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Lists the commands. */
export function help(edge: ProcessEdge, commands: readonly Command[]): void {
  const width = Math.max(...commands.map((command) => command.name.length))
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`).join('')
  edge.print(
    `Nyro Gateway ${edge.version}\n\nUsage: nyro COMMAND\n\n${list}\n` +
      'Exit status: 0 ended as asked, 1 could not run, 2 bad settings or usage.\n',
  )
}

/** Explains one command. */
export function helpWith(edge: ProcessEdge, command: Command): void {
  edge.print(`Usage: nyro ${command.name}\n\n${command.description}\n`)
}
