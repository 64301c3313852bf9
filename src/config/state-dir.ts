import { isAbsolute, join, resolve } from 'node:path'
import { Findings } from './finding.ts'
import { collectVariables } from './variable.ts'

export interface StateSource {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Throws where there is no such file. */
  readonly readFile: (path: string) => Uint8Array
}

/**
 * Absolute path of the folder for what outlasts the process, whatever the door: GATEWAY_STATE_DIR, or a folder in
 * XDG_STATE_HOME (XDG Base Directory Specification: relative paths there are ignored). Null: nothing is kept.
 */
export function stateDir({ env, cwd, readFile }: StateSource): string | null {
  // What is wrong with variables and with `.env` is the door's to say.
  const variables = collectVariables(env, readText(join(cwd, '.env'), readFile), new Findings())
  const named = variables.get('STATE_DIR')?.text.trim() ?? ''
  if (named !== '') return resolve(cwd, named)
  const base = env['XDG_STATE_HOME'] ?? ''
  return isAbsolute(base) ? join(base, 'nyro-gateway') : null
}

function readText(path: string, readFile: StateSource['readFile']): string | null {
  try {
    return new TextDecoder().decode(readFile(path))
  } catch {
    return null
  }
}
