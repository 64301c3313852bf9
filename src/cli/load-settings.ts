import { loadConfig } from '../config/load.ts'
import type { Loaded } from '../config/loaded.ts'
import type { ProcessEdge } from './process-edge.ts'

/** The settings of this process: from a configuration file (null: none is named here), or its variables and `.env`. */
export function loadSettings(edge: ProcessEdge, file: string | null): Promise<Loaded> {
  return loadConfig(file, {
    env: edge.env,
    cwd: edge.cwd,
    cores: edge.cores,
    readFile: edge.readFile,
    checkKey: async (algorithm, key) => {
      const { loadVerificationKey } = await import('../jwt/key.ts')
      loadVerificationKey(algorithm, key)
    },
  })
}
