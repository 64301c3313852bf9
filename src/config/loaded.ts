import type { Config } from './config.ts'

/** What a door yields. Warnings and problems are single lines without secrets; problems are all there are. */
export type Loaded = LoadedConfig | Refused

export interface LoadedConfig {
  readonly config: Config
  readonly warnings: readonly string[]
  /** Absolute paths of every file that was read: a change of any of them is a change of the config. */
  readonly files: readonly string[]
}

export interface Refused {
  readonly config: null
  readonly problems: readonly string[]
  /** 2: a setting is bad. 1: all settings are well-formed, but a file could not be read. */
  readonly exitCode: 1 | 2
  readonly warnings: readonly string[]
  readonly files: readonly string[]
}
