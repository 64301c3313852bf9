import { ChunkedDecoder } from './chunked-decoder.ts'
import type { Head } from './head.ts'
import { protocolError } from './head-parser.ts'
import type { ProtocolError } from './protocol-error.ts'

const UNTIL_CLOSE = -1

/** Takes the pieces of a body as they arrive. */
export interface BodySink {
  /** A piece of the decoded body, valid during the call only. */
  body(bytes: Buffer, start: number, end: number): void
}

/** Reads one body after another by the framing its head announced (RFC 9112 section 6). */
export class BodyReader {
  /** The body, trailers included, has ended where its framing said. */
  done = true
  error: ProtocolError | null = null
  trailers: Head | null = null
  #remaining = 0
  #chunked = false
  #decoder: ChunkedDecoder | null = null

  begin(framing: 'none' | 'sized' | 'chunked' | 'until-close', length: number): void {
    this.error = null
    this.trailers = null
    this.#chunked = framing === 'chunked'
    this.#remaining = framing === 'sized' ? length : framing === 'until-close' ? UNTIL_CLOSE : 0
    this.done = framing === 'none' || (framing === 'sized' && length === 0)
    if (!this.#chunked) return
    this.#decoder ??= new ChunkedDecoder()
    this.#decoder.reset()
  }

  get untilClose(): boolean {
    return this.#remaining === UNTIL_CLOSE
  }

  /** Bytes still to come; null if only the end will tell. */
  get remaining(): number | null {
    return this.#chunked || this.untilClose ? null : this.#remaining
  }

  /** Reads from bytes[start, end); gives the position after the last byte that belongs to this body. Check `error` and `done` then. */
  read(bytes: Buffer, start: number, end: number, sink: BodySink | null): number {
    if (this.#chunked) return this.#readChunked(bytes, start, end, sink)
    if (this.untilClose) {
      sink?.body(bytes, start, end)
      return end
    }
    const stop = Math.min(end, start + this.#remaining)
    this.#remaining -= stop - start
    this.done = this.#remaining === 0
    sink?.body(bytes, start, stop)
    return stop
  }

  #readChunked(bytes: Buffer, start: number, end: number, sink: BodySink | null): number {
    const decoder = this.#decoder as ChunkedDecoder // made by begin
    const position = decoder.decode(bytes, start, end)
    if (position < 0) {
      this.error = protocolError(position)
      return end
    }
    this.done = decoder.done
    if (decoder.done) this.trailers = decoder.trailers
    if (decoder.payloadEnd > decoder.payloadStart) sink?.body(bytes, decoder.payloadStart, decoder.payloadEnd)
    return position
  }
}
