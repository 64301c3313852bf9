/** What a README of an example has one type into a shell. */
export interface Readme {
  /** The first block, which starts everything. */
  readonly setup: string
  readonly steps: readonly Step[]
}

/** Lines to run, and what they are said to answer. */
export interface Step {
  readonly commands: string
  /** Of a response, else null. */
  readonly status: string | null
  /** What the answer holds, in this order. */
  readonly pieces: readonly string[]
}

/**
 * In blocks of `sh`, a line that begins with `# ` says what the lines above it answer: `# 200 "a":1 … "b":2` is a
 * response of this status with these texts in it, without a status it is what was printed.
 */
export function parseReadme(text: string): Readme {
  const [setup = '', ...blocks] = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block)
  return { setup, steps: blocks.flatMap(stepsOf) }
}

function stepsOf(block: string): readonly Step[] {
  const steps: Step[] = []
  let commands = ''
  for (const line of block.split('\n')) {
    if (!line.startsWith('# ')) {
      commands += line === '' ? '' : `${line}\n`
      continue
    }
    const [, status, rest = ''] = /^# (?:([1-5]\d\d) (?![1-5]\d\d))?(.*)$/.exec(line) ?? []
    steps.push({ commands, status: status ?? null, pieces: rest.split(' … ') })
    commands = ''
  }
  if (commands !== '') throw new Error(`says not what it answers: ${commands}`)
  return steps
}

/** What an answer lacks of what was promised; null: nothing. */
export function lackOf({ status, pieces }: Step, answer: string): string | null {
  if (status !== null) {
    // The last one: a 100 may come before.
    const got = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].at(-1)?.[1] ?? 'none'
    if (got !== status) return `status ${status}, not ${got}`
  }
  let from = 0
  for (const piece of pieces) {
    const at = answer.indexOf(piece, from)
    if (at < 0) return piece
    from = at + piece.length
  }
  return null
}
