import type { Loaded } from '../config/loaded.ts'
import type { Arguments } from './arguments.ts'
import { JudgedLoad } from './judged-load.ts'
import { loadSettings } from './load-settings.ts'
import type { ProcessEdge } from './process-edge.ts'

/** Judges a configuration and says everything that is wrong with it. Exits 0 if it is good, 1 if not. */
export async function check(edge: ProcessEdge, { operands, options }: Arguments): Promise<void> {
  const [file = null] = operands
  const { load } = new JudgedLoad(() => loadSettings(edge, file))
  const loaded = await load()
  edge.print(options.has('json') ? describeAsJson(loaded) : describe(loaded, file))
  edge.exit(loaded.config === null ? 1 : 0)
}

function describe(loaded: Loaded, file: string | null): string {
  const problems = loaded.config === null ? loaded.problems : []
  const notes = loaded.warnings
  const counts = [count(problems.length, 'problem'), count(notes.length, 'note')].filter(
    (text) => text !== '',
  )
  const verdict = loaded.config === null ? 'bad' : 'good'
  const head = `${file ?? 'The configuration'} is ${[verdict, ...counts].join(', ')}\n`
  return [head, ...problems.map((line) => `  ${line}\n`), ...notes.map((line) => `  note: ${line}\n`)].join(
    '',
  )
}

function count(number: number, noun: string): string {
  return number === 0 ? '' : `${number} ${noun}${number === 1 ? '' : 's'}`
}

function describeAsJson(loaded: Loaded): string {
  const { config, warnings, files } = loaded
  const facts = {
    good: config !== null,
    problems: loaded.config === null ? loaded.problems : [],
    warnings,
    files,
  }
  return `${JSON.stringify(facts, null, 2)}\n`
}
