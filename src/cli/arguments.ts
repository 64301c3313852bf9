import { parseArgs } from 'node:util'
import { shown } from '../config/finding.ts'
import { nearestName } from '../config/suggestion.ts'
import type { Command, Operand, Option } from './command.ts'

/** What stood behind a command's name, fit for it. */
export interface Arguments {
  readonly operands: readonly string[]
  /** Values of options by name; an option without a value has one empty text each time it was given. */
  readonly options: ReadonlyMap<string, readonly string[]>
}

export const NO_ARGUMENTS: Arguments = { operands: [], options: new Map() }

/** What the command line asks for. */
export type Parsed =
  | { readonly kind: 'run'; readonly given: Arguments }
  | { readonly kind: 'help' }
  /** A clause that follows the command's name. */
  | { readonly kind: 'misuse'; readonly fault: string }

/** Parses by the command's own table. `--help` and `-h` are options of every command, whatever else is wrong. */
export function parseArguments(command: Command, words: readonly string[]): Parsed {
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(command.options.map(parserOption)),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const operands: string[] = []
  const options = new Map<string, readonly string[]>()
  const faults: string[] = []
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      operands.push(token.value)
      continue
    }
    if (token.name === 'help' || token.rawName === '-h') return { kind: 'help' }
    const option = command.options.find(({ name }) => name === token.name)
    const fault = judgeOption(option, token, options, command)
    if (fault !== null) faults.push(fault)
    else options.set(token.name, [...(options.get(token.name) ?? []), token.value ?? ''])
  }
  const fault = faults[0] ?? judgeOperands(command.operands, operands)
  return fault === null ? { kind: 'run', given: { operands, options } } : { kind: 'misuse', fault }
}

/** The option's value; of several the last. */
export function optionValue({ options }: Arguments, name: string): string | null {
  return options.get(name)?.at(-1) ?? null
}

function parserOption({
  name,
  short,
  value,
}: Option): [string, { type: 'string' | 'boolean'; short?: string }] {
  return [name, { type: value === null ? 'boolean' : 'string', ...(short === null ? {} : { short }) }]
}

interface OptionToken {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function judgeOption(
  option: Option | undefined,
  token: OptionToken,
  given: ReadonlyMap<string, readonly string[]>,
  { options }: Command,
): string | null {
  const written = shown(token.rawName, 'open').slice(1, -1)
  if (option === undefined) {
    if (options.length === 0) return `takes no options, found ${written}`
    const nearest = nearestName(
      token.name,
      options.map(({ name }) => name),
    )
    return `has no option ${written}; did you mean --${nearest}?`
  }
  if (option.use === 'once' && given.has(option.name)) return `takes --${option.name} once`
  if (option.value === null) return token.value === undefined ? null : `takes no value with --${option.name}`
  // The parser hands over what follows, though it be another option; a lone dash is a value.
  const isMissing = token.value === undefined || token.value === ''
  const isOption = !token.inlineValue && (token.value ?? '').length > 1 && token.value?.startsWith('-')
  if (!isMissing && !isOption) return null
  return `needs a value with --${option.name}: --${option.name} ${option.value}, or --${option.name}=${option.value}`
}

function judgeOperands(wanted: readonly Operand[], given: readonly string[]): string | null {
  const extra = given[wanted.length]
  if (extra !== undefined) {
    if (wanted.length === 0) return `takes no such argument: ${shown(extra, 'open')}`
    return `takes at most ${wanted.length} argument${wanted.length === 1 ? '' : 's'}, found ${given.length}`
  }
  for (const [index, { name, need, choices }] of wanted.entries()) {
    const word = given[index]
    if (word === undefined) {
      if (need === 'optional') continue
      return `needs ${name}${choices === null ? '' : `: ${choices.join(', ')}`}`
    }
    if (choices === null || choices.includes(word)) continue
    return `takes no ${name} ${shown(word, 'open')}; did you mean ${nearestName(word, choices)}?`
  }
  return null
}
