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
  return name === 'COMMAND' ? firstWords(commands) : []
}

/** What may stand right behind `nyro`. */
function firstWords(commands: readonly Command[]): readonly string[] {
  return [...new Set(commands.map(({ name }) => name.split(' ', 1)[0] ?? ''))]
}

/** First words that others may follow, with those. */
function groupsOf(commands: readonly Command[]): ReadonlyMap<string, readonly Command[]> {
  const long = commands.filter(({ name }) => name.includes(' '))
  return Map.groupBy(long, ({ name }) => name.split(' ', 1)[0] ?? '')
}

function secondWord({ name }: Command): string {
  return name.slice(name.indexOf(' ') + 1)
}

const FILES: ReadonlySet<string> = new Set(['FILE', 'BEFORE', 'AFTER'])

function takesFiles({ operands }: Command): boolean {
  return operands.some(({ name }) => FILES.has(name))
}

function bashScript(commands: readonly Command[]): string {
  const groups = groupsOf(commands)
  const cases = commands.map((command) => {
    const flags = optionsOf(command).map(({ name }) => `--${name}`)
    const choices = command.operands.flatMap((operand) => choicesOf(operand, commands))
    const files = takesFiles(command) ? ' files=yes' : ''
    const seconds = (groups.get(command.name) ?? []).map(secondWord)
    return `      '${command.name}') words='${[...seconds, ...choices, ...flags].join(' ')}'${files} ;;\n`
  })
  const bare = [...groups].filter(([word]) => commands.every(({ name }) => name !== word))
  const groupCases = bare.map(
    ([word, members]) => `      '${word}') words='${[...members.map(secondWord), '--help'].join(' ')}' ;;\n`,
  )
  const longNames = [...groups.values()].flat().map(({ name }) => `'${name}'`)
  const fileOptions = commands
    .flatMap((command) =>
      command.options.filter(({ value }) => value === 'FILE').map((option) => ({ command, option })),
    )
    .flatMap(({ command, option: { name, short } }) => [
      `'${command.name}:--${name}'`,
      ...(short === null ? [] : [`'${command.name}:-${short}'`]),
    ])
  const longCase =
    longNames.length === 0
      ? ''
      : `    [ "$COMP_CWORD" -gt 2 ] && case "$name \${COMP_WORDS[2]}" in
      ${longNames.join(' | ')}) name="$name \${COMP_WORDS[2]}" ;;
    esac
`
  return `# nyro completion bash
_nyro() {
  local word=\${COMP_WORDS[COMP_CWORD]} name=\${COMP_WORDS[1]} words='' files=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='${firstWords(commands).join(' ')} --help --version'
  else
${longCase}    case $name in
${cases.join('')}${groupCases.join('')}    esac
    case $name:\${COMP_WORDS[COMP_CWORD - 1]} in
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
  const groups = groupsOf(commands)
  const list = firstWords(commands)
    .map((word) => `    '${word}:${zshText(summaryOf(word, commands))}'\n`)
    .join('')
  const cases = firstWords(commands).map((word) => {
    const command = commands.find(({ name }) => name === word)
    const own = command === undefined ? '' : `_arguments ${zshArguments(command, commands)}`
    const members = groups.get(word)
    return `    ${word}) ${members === undefined ? own : zshGroup(members, own, commands)} ;;\n`
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

/** `own`: what completes the first word where it is a command by itself. */
function zshGroup(members: readonly Command[], own: string, commands: readonly Command[]): string {
  const seconds = members.map((member) => `'${secondWord(member)}:${zshText(member.summary)}'`)
  const cases = members.map(
    (member) =>
      `${secondWord(member)}) shift words; ((CURRENT--)); _arguments ${zshArguments(member, commands)} ;;`,
  )
  return `case $words[2] in
      ${cases.join('\n      ')}
      *) if ((CURRENT == 2)); then local -a seconds=(${seconds.join(' ')}); _describe command seconds; fi
        ${own === '' ? ':' : own} ;;
      esac`
}

function zshArguments(command: Command, commands: readonly Command[]): string {
  const operands = command.operands.map((operand) => {
    const choices = choicesOf(operand, commands)
    const action = FILES.has(operand.name) ? '_files' : choices.length === 0 ? '' : `(${choices.join(' ')})`
    return `':${operand.name}:${action}'`
  })
  return [...optionsOf(command).map(zshOption), ...operands].join(' ')
}

/** A word that only others begin with tells of them. */
function summaryOf(word: string, commands: readonly Command[]): string {
  const own = commands.find(({ name }) => name === word)
  return (
    own?.summary ??
    commands
      .filter(({ name }) => name.startsWith(`${word} `))
      .map(secondWord)
      .join(', ')
  )
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
  const firsts = firstWords(commands).map(
    (word) =>
      `complete -c nyro -f -n __fish_use_subcommand -a ${word} -d '${fishText(summaryOf(word, commands))}'`,
  )
  const lines = commands.flatMap((command) => {
    const condition = `-n '${fishCondition(command, commands)}'`
    return [
      ...fishSecond(command, commands),
      ...optionsOf(command).map((option) => `complete -c nyro ${condition} ${fishOption(option)}`),
      ...command.operands
        .flatMap((operand) => choicesOf(operand, commands))
        .map((choice) => `complete -c nyro -f ${condition} -a ${choice}`),
      `complete -c nyro ${condition} ${takesFiles(command) ? '-F' : '-f'}`,
    ]
  })
  return `# nyro completion fish\n${[...firsts, ...lines].map((line) => `${line}\n`).join('')}`
}

const FISH_SEEN = '__fish_seen_subcommand_from'

/** The command alone: not what begins with the same word. */
function fishCondition(command: Command, commands: readonly Command[]): string {
  const seen = command.name.split(' ').map((word) => `${FISH_SEEN} ${word}`)
  const longer = groupsOf(commands).get(command.name)?.map(secondWord) ?? []
  return [...seen, ...(longer.length === 0 ? [] : [`not ${FISH_SEEN} ${longer.join(' ')}`])].join('; and ')
}

function fishSecond(command: Command, commands: readonly Command[]): readonly string[] {
  const [first = '', second] = command.name.split(' ')
  if (second === undefined) return []
  const others = groupsOf(commands).get(first)?.map(secondWord) ?? []
  const condition = `${FISH_SEEN} ${first}; and not ${FISH_SEEN} ${others.join(' ')}`
  return [`complete -c nyro -f -n '${condition}' -a ${second} -d '${fishText(command.summary)}'`]
}

function fishOption({ name, short, value, meaning }: Option): string {
  const forms = `-l ${name}${short === null ? '' : ` -s ${short}`}`
  const argument = value === null ? '' : ` -r${value === 'FILE' ? ' -F' : ''}`
  return `${forms}${argument} -d '${fishText(meaning)}'`
}

function fishText(text: string): string {
  return text.replaceAll(/[\\']/g, '\\$&')
}
