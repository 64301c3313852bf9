/** A prime length, so that a piece lost, doubled or moved at any power of two shows. */
const LENGTH = 262_139

/** What bodies of every size are made of, over and over. */
export const BLOCK: Buffer = makeBlock()

/** The next piece to send of a body of `bytes`, of which `sent` have gone out; a view, never a copy. */
export function pieceAt(sent: number, bytes: number): Buffer {
  const start = sent % LENGTH
  return BLOCK.subarray(start, Math.min(LENGTH, start + bytes - sent))
}

/** Whether `buffer[start..end)` is what a body holds from `offset` on. */
export function matches(buffer: Buffer, start: number, end: number, offset: number): boolean {
  let at = start
  let position = offset % LENGTH
  while (at < end) {
    const length = Math.min(end - at, LENGTH - position)
    if (buffer.compare(BLOCK, position, position + length, at, at + length) !== 0) return false
    at += length
    position = 0
  }
  return true
}

function makeBlock(): Buffer {
  const block = Buffer.alloc(LENGTH)
  let state = 1
  for (let index = 0; index < LENGTH; index++) {
    // A full-period linear congruence; its high bits are good enough to tell places apart.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    block[index] = state >>> 24
  }
  return block
}
