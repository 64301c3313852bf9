import type { Command } from '../src/cli/command.ts'
import { COMMANDS } from '../src/cli/command-table.ts'
import { optionForm, usageOf } from '../src/cli/help.ts'

/** docs/commands.md, made from the table that also parses the arguments. */
export function commandReference(notice: string): string {
  const list = COMMANDS.map(
    ({ name, summary }) => `- [${name}](#nyro-${name.replaceAll(' ', '-')}): ${summary}\n`,
  ).join('')
  return `# Commands

${notice}

\`nyro COMMAND --help\` says the same in the terminal. Wrong usage is one line on standard error and exit status 2.

${list}
${COMMANDS.map(section).join('\n')}`
}

function section(command: Command): string {
  const { name, description, options } = command
  const rows = options.map((option) => `- \`${optionForm(option)}\`: ${option.meaning}\n`).join('')
  return `## nyro ${name}\n\n\`\`\`\n${usageOf(command)}\n\n${description}\n\`\`\`\n${rows === '' ? '' : `\n${rows}`}`
}
