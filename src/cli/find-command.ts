import type { Command } from './command.ts'

/** What the words ask for, the longer name first, and the words behind it; null: no command is called so. */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | null {
  const [first = '', second = ''] = words
  const long = commands.find(({ name }) => name === `${first} ${second}`)
  if (long !== undefined) return { command: long, rest: words.slice(2) }
  const command = commands.find(({ name }) => name === first)
  return command === undefined ? null : { command, rest: words.slice(1) }
}

/** Whether names of two words begin with this one. */
export function isGroup(commands: readonly Command[], word: string): boolean {
  return commands.some(({ name }) => name.startsWith(`${word} `))
}
