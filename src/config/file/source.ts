import type { ConfigSource } from '../environment.ts'

/** What a configuration file needs from the machine. */
export interface FileSource extends ConfigSource {
  /** The process's variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of the `.env` file, whose variables yield to real ones; null: there is none. */
  readonly dotenvText: string | null
}
