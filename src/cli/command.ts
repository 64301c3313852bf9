import type { Arguments } from './arguments.ts'
import type { ProcessEdge } from './process-edge.ts'

/** One command; help, completion, docs/commands.md and the parsing of arguments are made of this alone. */
export interface Command {
  /** One word, or two where several begin with the same: `token mint`. */
  readonly name: string
  /** One line of the list of commands. */
  readonly summary: string
  /** What `--help` adds: paragraphs. */
  readonly description: string
  /** What may stand behind the name, in order; required ones first. */
  readonly operands: readonly Operand[]
  readonly options: readonly Option[]
  /** Commands are loaded when called: starting is a budget, and `start` needs nothing of the others. */
  load(): Promise<Run>
}

export interface Operand {
  /** As usage shows it. `FILE` is completed as one. */
  readonly name: string
  readonly need: 'required' | 'optional'
  /** All it may be; null: anything. */
  readonly choices: readonly string[] | null
}

export interface Option {
  /** Without its dashes. */
  readonly name: string
  /** One letter; null: there is no short form. */
  readonly short: string | null
  /** What its value is called: `FILE` is completed as one; null: it takes none. */
  readonly value: string | null
  readonly use: 'once' | 'repeated'
  readonly meaning: string
}

/** `commands` are all there are, for those that list them. */
export type Run = (edge: ProcessEdge, given: Arguments, commands: readonly Command[]) => void | Promise<void>
