import { resolve } from 'node:path'
import { describeReadError } from '../read-error.ts'
import type { Path, Report } from './report.ts'
import type { FileSource } from './source.ts'

/** One judgement of one document: what its rules read from and report to. */
export class Trial {
  readonly report: Report
  readonly source: FileSource
  readonly #folder: string
  readonly #files: Set<string>

  /** `files`: those read before, absolute. */
  constructor(report: Report, source: FileSource, folder: string, files: readonly string[]) {
    this.report = report
    this.source = source
    this.#folder = folder
    this.#files = new Set(files)
  }

  get files(): readonly string[] {
    return [...this.#files]
  }

  resolve(path: string): string {
    return resolve(this.#folder, path)
  }

  /** Text of a file that the value at `path` names; null if there is none, and then a problem says why. */
  readText(path: Path, written: string, expected: string): string | null {
    const name = this.resolve(written)
    this.#files.add(name)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.source.readFile(name))
    } catch (error) {
      const reason = error instanceof TypeError ? 'it is not UTF-8' : describeReadError(error)
      this.report.problem(path, {
        found: `${this.report.describe(path, written, 'path')}, which cannot be read: ${reason}`,
        expected,
        remedy: 'Put the file there, or correct the path.',
        kind: 'unreadable',
      })
      return null
    }
  }

  /** PEM as it is, or from the file it names. */
  readPem(path: Path, text: string): string | null {
    // One-line variables carry a PEM with its line breaks written out.
    if (text.includes('-----BEGIN ')) return text.replaceAll('\\n', '\n')
    return this.readText(path, text.trim(), 'a PEM, or the path of a file that holds one')
  }
}
