import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Why a file cannot be read or written, in the operator's words. */
export class FileFault extends Error {}

/** Hashes say who has keys: only the owner's to read. */
const NEW_MODE = 0o600

/** The file's text; null: it is not there. */
export function textOfFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw new FileFault(`${path} cannot be read: ${codeOf(error)}`)
  }
}

/**
 * Replaces a file whole, so that whoever reads it sees the old text or the new one. `edit` gets the text there is, null
 * for none, and gives the new one, or null to leave all as it is. Two at once: the second is told so. A link stays one.
 */
export function editFile(path: string, edit: (text: string | null) => string | null): void {
  const target = realPath(path)
  const fresh = join(dirname(target), `.${basename(target)}.new`)
  const file = openFresh(fresh)
  try {
    const text = edit(textOfFile(target))
    if (text === null) return
    writeFileSync(file, text)
    const mode = modeOf(target)
    if (mode !== null) chmodSync(fresh, mode)
    // Before the rename: after a power cut there is the old file or the new one, never an empty one.
    fsyncSync(file)
    renameSync(fresh, target)
  } catch (error) {
    if (codeOf(error) === null) throw error
    throw new FileFault(`${path} cannot be written: ${codeOf(error)}`)
  } finally {
    closeSync(file)
    forget(fresh)
  }
}

function openFresh(fresh: string): number {
  try {
    return openSync(fresh, 'wx', NEW_MODE)
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      throw new FileFault(`${fresh} is there: another nyro is writing, or one was cut off, then remove it`)
    throw new FileFault(`${fresh} cannot be written: ${codeOf(error)}`)
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function modeOf(path: string): number | null {
  try {
    return statSync(path).mode & 0o777
  } catch {
    return null
  }
}

function forget(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Renamed: it is the file by now.
  }
}

function codeOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return typeof code === 'string' ? code : null
}
