import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program of the system that some tests run. */
export interface Prerequisite {
  readonly command: string
  readonly debianPackage: string
  /** What for, in the words that follow "needs it to". */
  readonly purpose: string
}

export const PREREQUISITES: readonly Prerequisite[] = [
  { command: 'curl', debianPackage: 'curl', purpose: 'run the commands that nyro dev prints' },
  { command: 'git', debianPackage: 'git', purpose: 'know which files belong to the project' },
  { command: 'openssl', debianPackage: 'openssl', purpose: 'make the certificates of TLS tests' },
  { command: 'ps', debianPackage: 'procps', purpose: 'see which processes are left' },
  { command: 'redis-server', debianPackage: 'redis-server', purpose: 'share limits between processes' },
]

/** Those that no folder of `path`, a PATH, has. */
export function missingPrerequisites(path: string): readonly Prerequisite[] {
  const folders = path.split(delimiter).filter((folder) => folder !== '')
  return PREREQUISITES.filter(({ command }) => !folders.some((folder) => isProgram(join(folder, command))))
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
