import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'

export interface LogOutput {
  /** Writes what fits now and says how much that was, at once. Throws Node's error: EAGAIN when nothing fits. */
  write(bytes: Uint8Array, start: number, length: number): number
  /**
   * Opens again what has a name, after a rotation; null where there is none (standard output). Throws Node's error,
   * and then goes on as before.
   */
  readonly reopen: (() => void) | null
}

/** For `LogOutput.close` there is none: the descriptors live as long as the process. */
export function openLogOutput(fd: number): LogOutput {
  const own = openNonBlocking(fd)
  return { write: (bytes, start, length) => writeSync(own, bytes, start, length), reopen: null }
}

/**
 * A descriptor of the same file that refuses instead of blocking when its reader is behind. A pipe and a terminal are
 * opened anew, because O_NONBLOCK on the description we were given would change it for everyone who shares it. Where
 * that is refused (a socket, a pipe of another user, no /proc) there is no other way. A regular file never refuses,
 * and a second description would have a second offset, over which others that share ours (`>log 2>&1`) would write.
 */
function openNonBlocking(fd: number): number {
  if (fstatSync(fd).isFile()) return fd
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    makeNonBlocking(fd)
    return fd
  }
}

/** Node's own way to O_NONBLOCK; it puts the flags back at exit. */
function makeNonBlocking(fd: number): void {
  try {
    new Socket({ fd, readable: false, writable: true }).unref()
  } catch {
    // A device of a kind that Node has no stream for keeps blocking; nothing better is to be had.
  }
}
