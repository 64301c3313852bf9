import { basename } from 'node:path'
import { loadFile } from '../../../src/config/file/load.ts'
import type { FileSource } from '../../../src/config/file/source.ts'
import type { Loaded } from '../../../src/config/loaded.ts'
import { machine, STRONG_SECRET } from '../load-with.ts'

/** A PEM that only looks like one: whether a key can be used is asked through the source. */
export const ISSUER_PEM = '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n'

/** Files by name, whatever their folder. */
export type Files = Readonly<Record<string, string>>

export function sourceOf(files: Files, own: Partial<FileSource> = {}): FileSource {
  return {
    ...machine,
    env: { GATEWAY_JWT_SECRET: STRONG_SECRET },
    dotenvText: null,
    readFile: (path) => {
      const text = files[basename(path)]
      return text === undefined ? machine.readFile(path) : new TextEncoder().encode(text)
    },
    ...own,
  }
}

/** Loads a file of this text, called `nyro.yaml` unless said otherwise. */
export function loadText(
  text: string,
  own: Partial<FileSource> & { readonly files?: Files; readonly name?: string } = {},
): Promise<Loaded> {
  const { files = {}, name = 'nyro.yaml', ...source } = own
  return loadFile(name, sourceOf({ ...files, [name]: text }, source))
}

/** Problems of a file that must be refused. */
export async function problemsOf(
  text: string,
  own: Parameters<typeof loadText>[1] = {},
): Promise<readonly string[]> {
  const loaded = await loadText(text, own)
  if (loaded.config !== null) throw new Error('it was accepted')
  return loaded.problems
}
