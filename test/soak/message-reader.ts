/** A head as it stood on the wire, names in lower case. */
export interface MessageHead {
  readonly startLine: string
  readonly names: readonly string[]
  readonly values: readonly string[]
}

export interface MessageSink {
  /** A 1xx response. */
  interim(head: MessageHead): void
  head(head: MessageHead): void
  /** A piece of the body, valid only during the call. */
  body(buffer: Buffer, start: number, end: number): void
  end(trailers: MessageHead): void
  /** Not HTTP/1.1 as the soak speaks it; nothing is read any more. */
  garbage(reason: string): void
}

const HEAD = 0
const SIZED = 1
const CHUNK_SIZE = 2
const CHUNK_DATA = 3
const CHUNK_END = 4
const TRAILERS = 5
const UNTIL_CLOSE = 6
const STOPPED = 7

const END_OF_HEAD = '\r\n\r\n'
const CR = 13
const LF = 10
const MAX_HEAD_CHARS = 64 * 1024
/** Heads of the soak are shorter, so that most are one slice and one search. */
const WINDOW_BYTES = 1024
const NO_TRAILERS: MessageHead = { startLine: '', names: [], values: [] }
const REQUEST_LINE = /^[A-Z]+ \S+ HTTP\/1\.1$/
const STATUS_LINE = /^HTTP\/1\.1 \d{3} [\x20-\x7e]*$/
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/

/**
 * Reads messages one after another from pieces of any size, strictly, in time linear to their length; bodies are handed
 * on as they come and never kept.
 */
export class MessageReader {
  /** Of a response: it answers a HEAD. To be set before the response begins. */
  bodyless = false
  readonly #role: 'request' | 'response'
  readonly #sink: MessageSink
  #state = HEAD
  /** Of a head, a chunk's size line or a trailer section that is not whole yet. */
  #pending = ''
  /** Bytes of the body or chunk still to come. */
  #left = 0

  constructor(role: 'request' | 'response', sink: MessageSink) {
    this.#role = role
    this.#sink = sink
  }

  /** Nothing of a message has been read yet. */
  get idle(): boolean {
    return this.#state === HEAD && this.#pending === ''
  }

  /** The body ends where the connection does. */
  get untilClose(): boolean {
    return this.#state === UNTIL_CLOSE
  }

  /** The connection ended in order: the end of a body that lasts until then. */
  close(): void {
    if (this.#state === UNTIL_CLOSE) this.#end(NO_TRAILERS)
  }

  stop(): void {
    this.#state = STOPPED
  }

  feed(buffer: Buffer, start: number, end: number): void {
    let at = start
    while (at < end && this.#state !== STOPPED) at = this.#step(buffer, at, end)
  }

  #step(buffer: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case HEAD:
        return this.#readHead(buffer, at, end)
      case SIZED:
      case CHUNK_DATA:
        return this.#readLength(buffer, at, end)
      case CHUNK_SIZE:
        return this.#readChunkSize(buffer, at, end)
      case CHUNK_END:
        return this.#readChunkEnd(buffer, at)
      case TRAILERS:
        return this.#readTrailers(buffer, at, end)
      default:
        this.#sink.body(buffer, at, end)
        return end
    }
  }

  #readHead(buffer: Buffer, at: number, end: number): number {
    const next = this.#takeUntil(END_OF_HEAD, buffer, at, end)
    if (next < 0) return end
    const head = this.#parse(this.#pending, true)
    this.#pending = ''
    if (head === null) return end
    this.#frame(head)
    return next
  }

  #frame(head: MessageHead): void {
    const status = this.#role === 'response' ? Number(head.startLine.slice(9, 12)) : 0
    if (status >= 100 && status < 200) {
      this.#sink.interim(head)
      return
    }
    const lengths = valuesOf(head, 'content-length')
    const codings = valuesOf(head, 'transfer-encoding')
    if (lengths.length + codings.length > 1) {
      this.#garbage('two framings')
      return
    }
    if (codings.length > 0 && codings[0] !== 'chunked') {
      this.#garbage(`coding ${codings[0]}`)
      return
    }
    const length = lengths[0] ?? '0'
    if (!/^\d{1,15}$/.test(length)) {
      this.#garbage(`length ${length}`)
      return
    }
    const bodyless = status === 204 || status === 304 || (this.#role === 'response' && this.bodyless)
    this.#left = bodyless ? 0 : Number(length)
    if (!bodyless && codings.length > 0) this.#state = CHUNK_SIZE
    else if (this.#left > 0) this.#state = SIZED
    else if (!bodyless && lengths.length === 0 && this.#role === 'response') this.#state = UNTIL_CLOSE
    const whole = this.#state === HEAD
    this.#sink.head(head)
    if (whole && this.#state === HEAD) this.#end(NO_TRAILERS)
  }

  #readLength(buffer: Buffer, at: number, end: number): number {
    const stop = Math.min(end, at + this.#left)
    this.#left -= stop - at
    this.#sink.body(buffer, at, stop)
    if (this.#left > 0) return stop
    if (this.#state === CHUNK_DATA) this.#state = CHUNK_END
    else if (this.#state === SIZED) this.#end(NO_TRAILERS)
    return stop
  }

  #readChunkSize(buffer: Buffer, at: number, end: number): number {
    const next = this.#takeUntil('\r\n', buffer, at, end)
    if (next < 0) return end
    const line = this.#pending.slice(0, -2)
    this.#pending = ''
    if (!/^[0-9a-fA-F]{1,8}$/.test(line)) return this.#garbageAt(`chunk size ${JSON.stringify(line)}`, end)
    this.#left = Number.parseInt(line, 16)
    this.#state = this.#left === 0 ? TRAILERS : CHUNK_DATA
    // A trailer section ends like a head, with an empty line; this CRLF makes it one when it is empty.
    if (this.#left === 0) this.#pending = '\r\n'
    return next
  }

  /** The CRLF behind a chunk, one byte a call; `#left` is 0 before CR and -1 before LF. */
  #readChunkEnd(buffer: Buffer, at: number): number {
    const byte = buffer[at]
    if (byte !== (this.#left === 0 ? CR : LF)) return this.#garbageAt('a chunk longer than its size', at + 1)
    this.#left--
    if (this.#left < -1) this.#state = CHUNK_SIZE
    return at + 1
  }

  #readTrailers(buffer: Buffer, at: number, end: number): number {
    const next = this.#takeUntil(END_OF_HEAD, buffer, at, end)
    if (next < 0) return end
    const trailers = this.#parse(this.#pending, false)
    this.#pending = ''
    if (trailers === null) return end
    this.#end(trailers)
    return next
  }

  /** Adds to `#pending` up to and with `mark`; returns the place behind it, or -1 with everything added. */
  #takeUntil(mark: string, buffer: Buffer, at: number, end: number): number {
    for (let from = at; from < end; from += WINDOW_BYTES) {
      const kept = this.#pending.length
      this.#pending += buffer.toString('latin1', from, Math.min(end, from + WINDOW_BYTES))
      // A mark may have begun in what was kept.
      const found = this.#pending.indexOf(mark, Math.max(0, kept - mark.length + 1))
      if (found >= 0) {
        const length = found + mark.length
        this.#pending = this.#pending.slice(0, length)
        return from + length - kept
      }
      if (this.#pending.length > MAX_HEAD_CHARS) return this.#garbageAt('an endless line', -1)
    }
    return -1
  }

  #parse(text: string, hasStartLine: boolean): MessageHead | null {
    const lines = text.split('\r\n')
    lines.length -= 2
    const startLine = lines.shift() ?? ''
    const form = this.#role === 'request' ? REQUEST_LINE : STATUS_LINE
    const names: string[] = []
    const values: string[] = []
    if (hasStartLine && !form.test(startLine)) {
      this.#garbage(`start line ${JSON.stringify(startLine.slice(0, 120))}`)
      return null
    }
    for (const line of lines) {
      const field = FIELD_LINE.exec(line)
      if (field === null) {
        this.#garbage(`field line ${JSON.stringify(line.slice(0, 120))}`)
        return null
      }
      names.push((field[1] ?? '').toLowerCase())
      values.push(field[2] ?? '')
    }
    return { startLine, names, values }
  }

  #end(trailers: MessageHead): void {
    this.#state = HEAD
    this.#sink.end(trailers)
  }

  #garbage(reason: string): void {
    this.#state = STOPPED
    this.#sink.garbage(reason)
  }

  #garbageAt(reason: string, next: number): number {
    this.#garbage(reason)
    return next
  }
}

export function valuesOf(head: MessageHead, name: string): string[] {
  const values: string[] = []
  for (let at = head.names.indexOf(name); at >= 0; at = head.names.indexOf(name, at + 1)) {
    values.push(head.values[at] ?? '')
  }
  return values
}

export function firstValueOf(head: MessageHead, name: string): string | null {
  const at = head.names.indexOf(name)
  return at < 0 ? null : (head.values[at] ?? null)
}
