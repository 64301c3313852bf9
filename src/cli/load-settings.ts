import { join } from 'node:path'
import { loadEnvironment } from '../config/environment.ts'
import type { Loaded } from '../config/loaded.ts'
import { describeReadError } from '../config/read-error.ts'
import type { ProcessEdge } from './process-edge.ts'

/** The settings of this process: its variables and the `.env` file of its working directory. */
export async function loadSettings(edge: ProcessEdge): Promise<Loaded> {
  const path = join(edge.cwd, '.env')
  let dotenvText: string | null
  try {
    dotenvText = readIfThere(path, edge)
  } catch (error) {
    const problem = `${path} cannot be read: ${describeReadError(error)}. Correct or remove it.`
    return { config: null, problems: [problem], exitCode: 1, warnings: [], files: [] }
  }
  return loadEnvironment(edge.env, dotenvText, {
    cores: edge.cores,
    readFile: edge.readFile,
    checkKey: async (algorithm, key) => {
      const { loadVerificationKey } = await import('../jwt/key.ts')
      loadVerificationKey(algorithm, key)
    },
  })
}

function readIfThere(path: string, edge: ProcessEdge): string | null {
  try {
    return new TextDecoder().decode(edge.readFile(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
