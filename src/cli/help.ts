import { shown } from '../config/finding.ts'
import { nearestName } from '../config/suggestion.ts'
import type { Arguments } from './arguments.ts'
import type { Command, Operand, Option } from './command.ts'
import { findCommand, isGroup } from './find-command.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Lists the commands, or explains the one that is named. */
export function help(edge: ProcessEdge, { operands }: Arguments, commands: readonly Command[]): void {
  const [first = null] = operands
  if (first === null) {
    edge.print(overview(edge.version, commands))
    return
  }
  const found = findCommand(commands, operands)
  if (found !== null && found.rest.length === 0) {
    edge.print(helpText(found.command))
    return
  }
  if (operands.length === 1 && isGroup(commands, first)) {
    edge.print(groupText(first, commands))
    return
  }
  edge.complain(unknownCommand(operands.join(' '), commands))
  edge.exit(2)
}

/** Of names of two words, those that begin with this one. */
export function groupText(word: string, commands: readonly Command[]): string {
  const rows = membersOf(word, commands).map(({ name, summary }) => [name, summary] as const)
  return `Usage: nyro ${word} COMMAND\n\n${columns(rows)}`
}

/** The line for whoever named the first word of several commands, and none of them. */
export function misuseOfGroup(word: string, second: string | null, commands: readonly Command[]): string {
  const seconds = membersOf(word, commands).map(({ name }) => name.slice(word.length + 1))
  const found = second === null ? '' : `, found ${shown(second, 'open')}`
  const nearest = second === null ? '' : `; did you mean ${nearestName(second, seconds)}?`
  return `nyro: ${word} needs ${seconds.join(' or ')} behind it${found}${nearest}${nearest === '' ? '.' : ''} nyro ${word} --help explains them\n`
}

function membersOf(word: string, commands: readonly Command[]): readonly Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `))
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
