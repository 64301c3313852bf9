import { extname, join, resolve } from 'node:path'
import { type ConfigSource, loadEnvironment } from './environment.ts'
import type { FileSource } from './file/source.ts'
import { Findings, shown } from './finding.ts'
import type { Loaded } from './loaded.ts'
import { describeReadError } from './read-error.ts'
import { collectVariables } from './variable.ts'

/** What loading needs from the machine, whatever the door. */
export interface LoadSource extends ConfigSource {
  /** The process's variables; they win over those of `.env`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute: the folder whose `.env` is read. */
  readonly cwd: string
}

/**
 * Loads the config anew, `.env` included: from `file` (null: none is named), else from the file that GATEWAY_CONFIG
 * names, else from the environment alone. `files` are all that were read or tried, for whoever watches them.
 */
export async function loadConfig(file: string | null, source: LoadSource): Promise<Loaded> {
  const tried = new Set<string>()
  const readFile = (path: string): Uint8Array => {
    tried.add(resolve(source.cwd, path))
    return source.readFile(path)
  }
  const dotenv = readDotenv(join(source.cwd, '.env'), readFile)
  const loaded =
    dotenv.problem === null
      ? await enter(file, { ...source, readFile, dotenvText: dotenv.text })
      : refusal(dotenv.problem, 1)
  return { ...loaded, files: [...new Set([...loaded.files, ...tried])] }
}

type Door = (path: string, source: FileSource) => Promise<Loaded>

/** Loaded when they are entered: the schema and YAML cost a start more than everything else together. */
const documentDoor = async (): Promise<Door> => (await import('./file/load.ts')).loadFile
const moduleDoor = async (): Promise<Door> => (await import('./typescript/load.ts')).loadModule

const DOORS: ReadonlyMap<string, () => Promise<Door>> = new Map([
  ['.yaml', documentDoor],
  ['.yml', documentDoor],
  ['.json', documentDoor],
  ['.ts', moduleDoor],
  ['.mts', moduleDoor],
  ['.js', moduleDoor],
  ['.mjs', moduleDoor],
])

const KNOWN_ENDINGS = [...DOORS.keys()].join(', ')

async function enter(file: string | null, source: FileSource): Promise<Loaded> {
  const path = file ?? configVariable(source)
  if (path === null) return loadEnvironment(source.env, source.dotenvText, source)
  const load = DOORS.get(extname(path).toLowerCase())
  if (load !== undefined) return (await load())(path, source)
  const found =
    file === null
      ? // Secrets get pasted into variables.
        `GATEWAY_CONFIG is ${shown(path, 'path')}; expected a file that ends in one of ${KNOWN_ENDINGS}`
      : `${shown(file, 'open')} has no known ending; expected one of ${KNOWN_ENDINGS}`
  return refusal(`${found}. Name the configuration file so.`, 2)
}

function configVariable({ env, dotenvText }: FileSource): string | null {
  // What is wrong with other variables is the door's to say.
  const text = collectVariables(env, dotenvText, new Findings()).get('CONFIG')?.text.trim() ?? ''
  return text === '' ? null : text
}

type Dotenv = { readonly problem: null; readonly text: string | null } | { readonly problem: string }

function readDotenv(path: string, readFile: (path: string) => Uint8Array): Dotenv {
  try {
    return { problem: null, text: new TextDecoder().decode(readFile(path)) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { problem: null, text: null }
    return { problem: `${path} cannot be read: ${describeReadError(error)}. Correct or remove it.` }
  }
}

function refusal(problem: string, exitCode: 1 | 2): Loaded {
  return { config: null, problems: [problem], exitCode, warnings: [], files: [] }
}
