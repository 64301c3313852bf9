import type { Arguments } from './arguments.ts'
import type { Command, Operand, Option } from './command.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Prints a script that completes commands, their options, choices and files in a shell. */
export function completion(edge: ProcessEdge, { operands }: Arguments, commands: readonly Command[]): void {
  const [shell = ''] = operands
  const script = SCRIPTS.get(shell)
  // The command's table lets no other word through.
  if (script !== undefined) edge.print(script(commands))
}

const SCRIPTS = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
])

const HELP: Option = { name: 'help', short: 'h', value: null, use: 'once', meaning: 'explain the command' }

function optionsOf({ options }: Command): readonly Option[] {
  return [...options, HELP]
}

/** What an operand may be, as far as a shell can tell. */
function choicesOf({ name, choices }: Operand, commands: readonly Command[]): readonly string[] {
  if (choices !== null) return choices
  return name === 'COMMAND' ? commands.map((command) => command.name) : []
}

const FILES: ReadonlySet<string> = new Set(['FILE', 'BEFORE', 'AFTER'])

function takesFiles({ operands }: Command): boolean {
  return operands.some(({ name }) => FILES.has(name))
}

function bashScript(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const flags = optionsOf(command).map(({ name }) => `--${name}`)
    const choices = command.operands.flatMap((operand) => choicesOf(operand, commands))
    const files = takesFiles(command) ? ' files=yes' : ''
    return `      ${command.name}) words='${[...choices, ...flags].join(' ')}'${files} ;;\n`
  })
  const fileOptions = commands
    .flatMap((command) =>
      command.options.filter(({ value }) => value === 'FILE').map((option) => ({ command, option })),
    )
    .flatMap(({ command, option: { name, short } }) => [
      `${command.name}:--${name}`,
      ...(short === null ? [] : [`${command.name}:-${short}`]),
    ])
  return `# nyro completion bash
_nyro() {
  local word=\${COMP_WORDS[COMP_CWORD]} words='' files=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
  else
    case \${COMP_WORDS[1]} in
${cases.join('')}    esac
    case \${COMP_WORDS[1]}:\${COMP_WORDS[COMP_CWORD - 1]} in
      ${fileOptions.join(' | ')}) words='' files=yes ;;
    esac
  fi
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "\${words// /$IFS}" -- "$word"))
  if [ -n "$files" ] && [ "\${word#-}" = "$word" ]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$word"))
  fi
}
complete -F _nyro nyro
`
}

function zshScript(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    '${name}:${zshText(summary)}'\n`).join('')
  const cases = commands.map((command) => {
    const flags = optionsOf(command).map(zshOption)
    const operands = command.operands.map((operand) => {
      const choices = choicesOf(operand, commands)
      const action = FILES.has(operand.name) ? '_files' : choices.length === 0 ? '' : `(${choices.join(' ')})`
      return `':${operand.name}:${action}'`
    })
    return `    ${command.name}) _arguments ${[...flags, ...operands].join(' ')} ;;\n`
  })
  return `#compdef nyro
# nyro completion zsh
_nyro() {
  local -a commands=(
${list}  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join('')}  esac
}
if [ "$funcstack[1]" = _nyro ]; then _nyro "$@"; else compdef _nyro nyro; fi
`
}

function zshOption({ name, short, value, use, meaning }: Option): string {
  const argument = value === null ? '' : `:${value}:${value === 'FILE' ? '_files' : ''}`
  const repeats = use === 'repeated' ? '*' : ''
  const forms = [`--${name}`, ...(short === null ? [] : [`-${short}`])]
  return forms.map((form) => `'${repeats}${form}[${zshText(meaning)}]${argument}'`).join(' ')
}

/** Within single quotes, and where a colon or a bracket would end the text. */
function zshText(text: string): string {
  return text.replaceAll(/[:[\]\\]/g, '\\$&').replaceAll("'", "'\\''")
}

function fishScript(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const condition = `-n '__fish_seen_subcommand_from ${command.name}'`
    return [
      `complete -c nyro -f -n __fish_use_subcommand -a ${command.name} -d '${fishText(command.summary)}'`,
      ...optionsOf(command).map((option) => `complete -c nyro ${condition} ${fishOption(option)}`),
      ...command.operands
        .flatMap((operand) => choicesOf(operand, commands))
        .map((choice) => `complete -c nyro -f ${condition} -a ${choice}`),
      `complete -c nyro ${condition} ${takesFiles(command) ? '-F' : '-f'}`,
    ]
  })
  return `# nyro completion fish\n${lines.map((line) => `${line}\n`).join('')}`
}

function fishOption({ name, short, value, meaning }: Option): string {
  const forms = `-l ${name}${short === null ? '' : ` -s ${short}`}`
  const argument = value === null ? '' : ` -r${value === 'FILE' ? ' -F' : ''}`
  return `${forms}${argument} -d '${fishText(meaning)}'`
}

function fishText(text: string): string {
  return text.replaceAll(/[\\']/g, '\\$&')
}
