import { dirname, extname, resolve } from 'node:path'
import type { Loaded } from '../loaded.ts'
import { describeReadError } from '../read-error.ts'
import { readJson, readYaml } from './document.ts'
import { judge } from './judge.ts'
import type { FileSource } from './source.ts'

/** The door of files: YAML 1.2 (.yaml, .yml) or JSON (.json). Messages call it by `path` as given. */
export async function loadFile(path: string, source: FileSource): Promise<Loaded> {
  const file = resolve(path)
  const refuse = (problem: string, exitCode: 1 | 2): Loaded => ({
    config: null,
    problems: [`${path} ${problem}`],
    exitCode,
    warnings: [],
    files: [file],
  })
  const read = READERS.get(extname(path).toLowerCase())
  if (read === undefined) {
    return refuse('has no known ending; expected .yaml, .yml or .json. Rename it.', 2)
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(source.readFile(file))
  } catch (error) {
    if (error instanceof TypeError) return refuse('is not UTF-8. Save it as such.', 2)
    return refuse(`cannot be read: ${describeReadError(error)}. Put it there, or correct the path.`, 1)
  }
  return judge({ ...read(text), label: path, folder: dirname(file), files: [file] }, source)
}

const READERS = new Map([
  ['.yaml', readYaml],
  ['.yml', readYaml],
  ['.json', readJson],
])

/** Where a document without a text of its own came from. */
export interface DocumentOrigin {
  /** As messages call it; relative paths in the document are taken from its folder. */
  readonly path: string
  /** Absolute paths of what was read to get it. */
  readonly files: readonly string[]
}

/** The same judgement for plain data, in which nothing has a line. */
export function judgeDocument(value: unknown, origin: DocumentOrigin, source: FileSource): Promise<Loaded> {
  const { path, files } = origin
  const document = {
    value,
    faults: [],
    locate: () => null,
    files,
    label: path,
    folder: dirname(resolve(path)),
  }
  return judge(document, source)
}
