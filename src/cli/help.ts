import { shown } from '../config/finding.ts'
import { nearestName } from '../config/suggestion.ts'
import type { Arguments } from './arguments.ts'
import type { Command, Operand, Option } from './command.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Lists the commands, or explains the one that is named. */
export function help(edge: ProcessEdge, { operands }: Arguments, commands: readonly Command[]): void {
  const [name = null] = operands
  const command = commands.find((candidate) => candidate.name === name)
  if (name !== null && command === undefined) {
    edge.complain(unknownCommand(name, commands))
    edge.exit(2)
  }
  edge.print(command === undefined ? overview(edge.version, commands) : helpText(command))
}

function overview(version: string, commands: readonly Command[]): string {
  const list = columns(commands.map(({ name, summary }) => [name, summary]))
  const status =
    'Exit status: 0 ended as asked, 1 could not run, 2 bad settings or usage; where a command differs, it says so.'
  return `Nyro Gateway ${version}\n\nUsage: nyro COMMAND\n\n${list}\n${status}\n`
}

/** The line for whoever named a command that is none. */
export function unknownCommand(word: string, commands: readonly Command[]): string {
  const nearest = nearestName(
    word,
    commands.map(({ name }) => name),
  )
  return `nyro: no such command: ${shown(word, 'open')}; did you mean ${nearest}? nyro --help lists them\n`
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
