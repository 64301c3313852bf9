/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  /** Upper case. */
  readonly keyword: string
  readonly value: string
}

export interface Stage {
  /** What stands behind FROM, arguments filled in. */
  readonly image: string
  readonly name: string
  readonly instructions: readonly Instruction[]
}

/** Line by line, as https://docs.docker.com/reference/dockerfile has it; without heredocs, which ours has none of. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { image: string; name: string; instructions: Instruction[] }[] = []
  const defaults = new Map<string, string>()
  for (const instruction of instructionsOf(text)) {
    const { keyword, value } = instruction
    const stage = stages.at(-1)
    if (keyword === 'FROM') {
      const [, image = '', name = ''] = /^(\S+)(?: AS (\S+))?$/i.exec(filled(value, defaults)) ?? []
      stages.push({ image, name, instructions: [] })
    } else if (stage !== undefined) {
      stage.instructions.push(instruction)
    } else if (keyword === 'ARG') {
      const [, name = '', fallback = ''] = /^(\w+)=(.*)$/.exec(value) ?? []
      defaults.set(name, fallback)
    } else throw new Error(`${keyword} stands before the first FROM`)
  }
  return stages
}

function instructionsOf(text: string): readonly Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  return lines.flatMap((line) => {
    if (line.trim() === '') return []
    const [, keyword = '', value = ''] = /^([A-Za-z]+)\s+(.*)$/.exec(line) ?? []
    if (keyword === '') throw new Error(`not an instruction: ${line}`)
    return [{ keyword: keyword.toUpperCase(), value: value.trim() }]
  })
}

function filled(value: string, defaults: ReadonlyMap<string, string>): string {
  return value.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => defaults.get(name) ?? '')
}
