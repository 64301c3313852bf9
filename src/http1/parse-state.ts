import type { Head } from './head.ts'

/** What parsers return while the end of a head has not arrived. */
export const INCOMPLETE = 0

/**
 * Where in a head the next byte stands (`Head.stage`). Parsing resumes at the byte, not at the line: a head that
 * arrives a byte a packet costs no more scanning than one that arrives whole.
 */
export const AT_LEAD = 0
export const IN_METHOD = 1
export const IN_TARGET = 2
export const IN_VERSION = 3
export const IN_REASON = 4
export const AT_LINE = 5
export const IN_NAME = 6
export const IN_VALUE = 7

/** Bits of `Head.seen`. */
export const SEEN_TRANSFER_ENCODING = 1
export const SEEN_OTHER_CODING = 2
export const SEEN_OTHER_EXPECTATION = 4
export const SEEN_UPGRADE_FIELD = 8
export const ASKED_CLOSE = 16
export const ASKED_KEEP_ALIVE = 32
export const ASKED_UPGRADE = 64

/** The bytes ran out: remembers the place, `scanned` bytes after the head's first, for the next call. */
export function pause(head: Head, stage: number, scanned: number): number {
  head.stage = stage
  head.scanned = scanned
  return INCOMPLETE
}
