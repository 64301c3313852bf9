import { dirname, relative, resolve, sep } from 'node:path'
import { parseDotenv } from '../dotenv.ts'
import { judgeDocument } from '../file/load.ts'
import { pathText } from '../file/report.ts'
import type { FileSource } from '../file/source.ts'
import type { Loaded } from '../loaded.ts'
import { describeReadError } from '../read-error.ts'
import { type Ending, evaluateModule } from './evaluation.ts'
import type { ModuleFault } from './module-fault.ts'
import type { Foreign, ForeignKind } from './plain-data.ts'
import { withholder } from './withhold.ts'

/** A config is evaluated at every reload: what takes longer waits for something. */
export const TIME_LIMIT_MS = 10_000

/**
 * The door of TypeScript and JavaScript modules: the default export, evaluated in a thread of its own, judged as a
 * file's document is. Messages call it by `path` as given.
 */
export async function loadModule(
  path: string,
  source: FileSource,
  timeLimitMs: number = TIME_LIMIT_MS,
): Promise<Loaded> {
  const file = resolve(path)
  try {
    source.readFile(file)
  } catch (error) {
    const problem = `${path} cannot be read: ${describeReadError(error)}. Put it there, or correct the path.`
    return { config: null, problems: [problem], exitCode: 1, warnings: [], files: [file] }
  }
  const env = { ...parseDotenv(source.dotenvText ?? ''), ...source.env }
  const withhold = withholder(env)
  const { ending, printed, files } = await evaluateModule({ path: file, env, timeLimitMs })
  const notes = printed.map((line) => `${path} printed: ${bounded(withhold(line))}`)
  const problems = describeEnding(ending, path, timeLimitMs).map(withhold)
  if (ending.kind !== 'value' || (ending.value === undefined && problems.length > 0)) {
    return { config: null, problems, exitCode: 2, warnings: notes, files }
  }
  const judged = await judgeDocument(ending.value, { path, files }, source)
  const loaded = { ...judged, warnings: [...notes, ...judged.warnings.map(withhold)] }
  if (loaded.config !== null && problems.length === 0) return loaded
  // What stands in the place of what is foreign is not there: nothing more is to be said of it.
  const places = ending.foreign.map((foreign) => `${path} ${subjectOf(foreign)} `)
  const others = loaded.config === null ? loaded.problems.map(withhold) : []
  const all = [...problems, ...others.filter((text) => !places.some((place) => text.startsWith(place)))]
  const exitCode = loaded.config === null && problems.length === 0 ? loaded.exitCode : 2
  return { config: null, problems: all, exitCode, warnings: loaded.warnings, files: loaded.files }
}

const MOST_SHOWN = 300

/** Of the operator's own words, as many as a line of a log holds. */
function bounded(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text
}

/** What keeps the module from being judged; empty if nothing does. */
function describeEnding(ending: Ending, path: string, timeLimitMs: number): readonly string[] {
  switch (ending.kind) {
    case 'value':
      return ending.foreign.map((foreign) => `${path} ${describeForeign(foreign)}`)
    case 'no default':
      return [
        `${path} has no default export; expected a configuration. Write: export default defineGateway({ … })`,
      ]
    case 'fault':
      return [describeFault(ending.fault, path)]
    case 'late':
      return [
        `${path} was still being evaluated after ${timeLimitMs / 1_000} s; expected a value at once. ` +
          'A configuration that waits for the network or loops cannot be reloaded: write down what it waits for.',
      ]
    case 'ended':
      return [
        `${path} ended before it had a value; expected a default export. ` +
          'Look for process.exit, or for an await that nothing settles.',
      ]
    case 'broken':
      return [
        `${path} broke off: ${bounded(ending.text)}. Expected it to be evaluated without an error. Correct it.`,
      ]
  }
}

const AS_DATA = 'Write it as text, a number, a list or a plain object.'

const FOREIGN: Readonly<Record<ForeignKind, readonly [found: string, remedy: string]>> = {
  function: [
    'is a function',
    'A configuration is data: what a policy does goes into a file of its own, named by ' +
      'policies: [{ use: "./NAME.ts", with: { … } }].',
  ],
  symbol: ['has a symbol', AS_DATA],
  bigint: ['is a bigint', 'Write it as a number.'],
  promise: ['is a promise', 'Put await before it.'],
  instance: ['is an instance of a class', AS_DATA],
  cycle: ['contains itself', 'Write out what it repeats.'],
  depth: ['is deeper than a configuration can be', 'Look for what nests without an end.'],
}

function describeForeign(foreign: Foreign): string {
  const [found, remedy] = FOREIGN[foreign.kind]
  return `${subjectOf(foreign)} ${found}; expected plain data. ${remedy}`
}

function subjectOf({ path }: Foreign): string {
  return path.length === 0 ? 'default export' : pathText(path)
}

const REMEDIES: Readonly<Record<ModuleFault['kind'], (text: string) => string>> = {
  syntax: (text) => `does not parse: ${text}. Correct it.`,
  unsupported: (text) =>
    `has syntax that is more than types: ${text}. Types are stripped, not compiled: write it as JavaScript would.`,
  missing: (text) => `imports ${text}, which cannot be found. Correct it (with its ending), or install it.`,
  thrown: (text) => `threw: ${text}. Correct it.`,
}

function describeFault({ kind, file, line, column, text }: ModuleFault, path: string): string {
  const place = [fileName(file, path), line, column].filter((part) => part !== null).join(':')
  return `${place} ${REMEDIES[kind](bounded(text))}`
}

/** Another file than the configuration itself is called by its way from there. */
function fileName(file: string | null, path: string): string {
  if (file === null || file === resolve(path)) return path
  const way = relative(dirname(resolve(path)), file)
  return way.startsWith('..') ? file : `.${sep}${way}`
}
