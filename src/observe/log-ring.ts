/**
 * Room for about 10,000 access lines: a third of a second at 30,000 a second, for a disk or a control thread that
 * stalls. A power of two: positions wrap by mask.
 */
export const LOG_RING_BYTES = 1 << 22

/** Int32 cells before the lines, on a cache line of their own. */
const HEADER_BYTES = 64
/** Free-running positions modulo 2³²; the low bits are the offset. Each has one writer: thread, control. */
const HEAD = 0
const TAIL = 1
/** Offset at which the lap the reader is still in ends; valid while the head is a lap further. */
const LAP_END = 2
/** Lines that found no room, since control last asked. */
const DROPPED = 3
/** When the thread is to ask for control's attention, one of the three below. */
const ATTENTION = 4

const WHEN_HALF_FULL = 0
/** Control looks at no ring by itself. */
const AT_ONCE = 1
/** The thread has asked; until control has emptied the ring to below half, or rests again. */
const ASKED = 2

const MASK = LOG_RING_BYTES - 1
const HALF = LOG_RING_BYTES >> 1
const NEWLINE = 0x0a

/** Memory for one thread's lines; outlives the thread, so that its replacement goes on where it ended. */
export function createLogRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + LOG_RING_BYTES)
}

/**
 * The producing end of a ring of log lines: exactly one per ring at a time. A line becomes visible only when the
 * head is published after its last byte, so a thread that dies while writing leaves no half line.
 */
export class LogRingWriter {
  readonly #cells: Int32Array
  readonly #bytes: Buffer
  #head: number
  #attention = false

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory, 0, HEADER_BYTES / 4)
    this.#bytes = Buffer.from(memory, HEADER_BYTES, LOG_RING_BYTES)
    this.#head = Atomics.load(this.#cells, HEAD)
  }

  /**
   * Appends one line, given without its newline and in ASCII (see `logLine`): one byte a character is reserved.
   * False when there is no room: the line is dropped and counted.
   */
  write(line: string): boolean {
    const cells = this.#cells
    const bytes = this.#bytes
    const size = line.length + 1
    let head = this.#head
    let used = (head - Atomics.load(cells, TAIL)) | 0
    let offset = head & MASK
    // Lines never straddle the end, so that the reader can hand every run of them to the kernel as it lies.
    const rest = LOG_RING_BYTES - offset
    if (size > rest) {
      if (used + rest + size > LOG_RING_BYTES) return this.#drop()
      Atomics.store(cells, LAP_END, offset)
      head = (head + rest) | 0
      used += rest
      offset = 0
    } else {
      if (used + size > LOG_RING_BYTES) return this.#drop()
      if (size === rest) Atomics.store(cells, LAP_END, LOG_RING_BYTES)
    }
    bytes.write(line, offset, size - 1, 'latin1')
    bytes[offset + size - 1] = NEWLINE
    head = (head + size) | 0
    this.#head = head
    Atomics.store(cells, HEAD, head)
    const wanted = Atomics.load(cells, ATTENTION)
    if (wanted === AT_ONCE || (wanted === WHEN_HALF_FULL && used + size > HALF)) {
      Atomics.store(cells, ATTENTION, ASKED)
      this.#attention = true
    }
    return true
  }

  /**
   * True once when control is to be sent `{ kind: 'lines' }`: the ring has become more than half full, or a line has
   * come while control rested.
   */
  takeAttention(): boolean {
    if (!this.#attention) return false
    this.#attention = false
    return true
  }

  #drop(): false {
    Atomics.add(this.#cells, DROPPED, 1)
    return false
  }
}

/** The consuming end: exactly one per ring, in control. */
export class LogRingReader {
  /** The ring's bytes; `start` and what `unread()` returned delimit the part to be written. */
  readonly bytes: Buffer
  /** Offset in `bytes` of the first unread byte, as of the last `unread()`. */
  start = 0
  readonly #cells: Int32Array
  #tail: number

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory, 0, HEADER_BYTES / 4)
    this.bytes = Buffer.from(memory, HEADER_BYTES, LOG_RING_BYTES)
    this.#tail = Atomics.load(this.#cells, TAIL)
  }

  /**
   * How many bytes lie unread from `start` on without a break. They end with a newline. 0: nothing is there; after
   * they are consumed there may be more, at the ring's beginning.
   */
  unread(): number {
    const head = Atomics.load(this.#cells, HEAD)
    if (head === this.#tail) return 0
    const offset = this.#tail & MASK
    const rest = LOG_RING_BYTES - offset
    this.start = offset
    const used = (head - this.#tail) | 0
    if (used <= rest) return used
    const lap = Atomics.load(this.#cells, LAP_END) - offset
    if (lap > 0) return lap
    this.#publish(rest)
    this.start = 0
    return used - rest
  }

  /** Gives back the first `count` of the bytes that `unread()` counted; may end within a line. */
  consume(count: number): void {
    this.start += count
    this.#publish(count)
  }

  /**
   * Control will not look by itself: the next line asks for attention at once. False if a line is there already (it
   * may have come without asking).
   */
  rest(): boolean {
    Atomics.store(this.#cells, ATTENTION, AT_ONCE)
    return Atomics.load(this.#cells, HEAD) === this.#tail
  }

  /** Lines dropped for want of room since the last call. */
  takeDropped(): number {
    return Atomics.exchange(this.#cells, DROPPED, 0)
  }

  #publish(count: number): void {
    const cells = this.#cells
    this.#tail = (this.#tail + count) | 0
    Atomics.store(cells, TAIL, this.#tail)
    const used = (Atomics.load(cells, HEAD) - this.#tail) | 0
    if (used < HALF && Atomics.load(cells, ATTENTION) !== WHEN_HALF_FULL) {
      Atomics.store(cells, ATTENTION, WHEN_HALF_FULL)
    }
  }
}
