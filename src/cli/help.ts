import type { Arguments } from './arguments.ts'
import type { Command, Operand, Option } from './command.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Lists the commands. */
export function help(edge: ProcessEdge, _: Arguments, commands: readonly Command[]): void {
  const list = columns(commands.map(({ name, summary }) => [name, summary]))
  edge.print(
    `Nyro Gateway ${edge.version}\n\nUsage: nyro COMMAND\n\n${list}\n` +
      'Exit status: 0 ended as asked, 1 could not run, 2 bad settings or usage; where a command differs, it says so.\n',
  )
}

/** What one command is: usage, description, options. */
export function helpText(command: Command): string {
  const rows = command.options.map((option) => [optionForm(option), option.meaning] as const)
  const options = rows.length === 0 ? '' : `\nOptions:\n${columns(rows)}`
  return `Usage: ${usageOf(command)}\n\n${command.description}\n${options}`
}

/** `nyro check [FILE] [--json]` */
export function usageOf({ name, operands, options }: Command): string {
  return [
    'nyro',
    name,
    ...operands.map(operandForm),
    ...options.map((option) => `[${longForm(option)}]`),
  ].join(' ')
}

/** `-c, --config FILE` */
export function optionForm(option: Option): string {
  return `${option.short === null ? '' : `-${option.short}, `}${longForm(option)}`
}

function longForm({ name, value, use }: Option): string {
  return `--${name}${value === null ? '' : ` ${value}`}${use === 'repeated' ? ' …' : ''}`
}

function operandForm({ name, need, choices }: Operand): string {
  const form = choices === null ? name : choices.join('|')
  return need === 'required' ? form : `[${form}]`
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('')
}
