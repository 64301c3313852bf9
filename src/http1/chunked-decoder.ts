import { CR, HEX_VALUE, LF } from './byte-class.ts'
import { EXTENSIONS_END, EXTENSIONS_MALFORMED, NAME_START, stepExtension } from './chunk-extension.ts'
import { parseFieldLines } from './field-line.ts'
import { Head } from './head.ts'
import { AT_LINE, INCOMPLETE } from './parse-state.ts'
import { BAD_CHUNK, TRAILERS_TOO_LARGE } from './protocol-error.ts'

/** Extensions of one chunk, from the first `;` on: well-formed and shorter than 256 bytes are dropped. */
const MAX_EXTENSION_BYTES = 255
/** 13 hexadecimal digits stay below 2^53, which a number holds exactly. */
const MAX_SIGNIFICANT_DIGITS = 13
const MAX_SIZE_DIGITS = 16
export const MAX_TRAILER_BYTES = 8192

const SEMICOLON = 0x3b

const IN_SIZE = 0
const IN_EXTENSIONS = 1
const AT_SIZE_LF = 2
const IN_DATA = 3
const AT_DATA_CR = 4
const AT_DATA_LF = 5
const AT_TRAILERS = 6
const AT_FINAL_LF = 7
const IN_TRAILERS = 8
const AT_END = 9

/**
 * Takes the chunked coding off a body (RFC 9112 section 7.1), piece by piece as it arrives, split at any byte.
 * Nothing of the coding passes: whoever sends the body on chunks it anew. One pass, no allocation but for trailers.
 */
export class ChunkedDecoder {
  /** The CRLF that ends the message was consumed. */
  done = false
  /** This call's payload, moved together in place inside the bytes given; not to be used after an error. */
  payloadStart = 0
  payloadEnd = 0
  /** The trailer section: only `text`, `fields` and `count` mean anything. null: there was none. */
  trailers: Head | null = null

  #state = IN_SIZE
  #size = 0
  #digits = 0
  #significant = 0
  #extension = NAME_START
  #extensionBytes = 0
  /** The trailer section so far: what was read before is gone by the time the rest arrives. */
  #held: Buffer | null = null
  #heldBytes = 0

  /** Makes the decoder ready for the next body. */
  reset(): void {
    this.done = false
    this.payloadStart = 0
    this.payloadEnd = 0
    this.trailers = null
    this.#held = null
    this.#startChunk()
  }

  /**
   * Decodes bytes[start, end). Returns the offset of the first byte not consumed, which is `end` unless `done`, or
   * a negative number for protocolError().
   */
  decode(bytes: Buffer, start: number, end: number): number {
    this.payloadStart = start
    this.payloadEnd = start
    let at = start
    while (at < end && this.#state !== AT_END) {
      at = this.#state === IN_DATA ? this.#takeData(bytes, at, end) : this.#takeCoding(bytes, at, end)
      if (at < 0) return at
    }
    return at
  }

  #takeData(bytes: Buffer, at: number, end: number): number {
    const pieceEnd = Math.min(end, at + this.#size)
    if (this.payloadStart === this.payloadEnd) {
      this.payloadStart = at
      this.payloadEnd = pieceEnd
    } else {
      bytes.copyWithin(this.payloadEnd, at, pieceEnd)
      this.payloadEnd += pieceEnd - at
    }
    this.#size -= pieceEnd - at
    if (this.#size === 0) this.#state = AT_DATA_CR
    return pieceEnd
  }

  /** Reads what is not payload, up to the next payload or the end. */
  #takeCoding(bytes: Buffer, start: number, end: number): number {
    let state = this.#state
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      switch (state) {
        case IN_SIZE: {
          const digit = HEX_VALUE[byte] as number
          if (digit !== 255) {
            if (!this.#addDigit(digit)) return BAD_CHUNK
          } else if (this.#digits === 0) return BAD_CHUNK
          else if (byte === CR) state = AT_SIZE_LF
          else if (byte === SEMICOLON) {
            this.#extensionBytes = 1
            this.#extension = NAME_START
            state = IN_EXTENSIONS
          } else return BAD_CHUNK
          break
        }
        case IN_EXTENSIONS: {
          this.#extension = stepExtension(this.#extension, byte)
          if (this.#extension === EXTENSIONS_END) state = AT_SIZE_LF
          else if (this.#extension === EXTENSIONS_MALFORMED) return BAD_CHUNK
          else if (++this.#extensionBytes > MAX_EXTENSION_BYTES) return BAD_CHUNK
          break
        }
        case AT_SIZE_LF:
          if (byte !== LF) return BAD_CHUNK
          if (this.#size > 0) {
            this.#state = IN_DATA
            return at + 1
          }
          state = AT_TRAILERS
          break
        case AT_DATA_CR:
          if (byte !== CR) return BAD_CHUNK
          state = AT_DATA_LF
          break
        case AT_DATA_LF:
          if (byte !== LF) return BAD_CHUNK
          this.#startChunk()
          state = IN_SIZE
          break
        case AT_TRAILERS:
          if (byte !== CR) return this.#takeTrailers(bytes, at, end)
          state = AT_FINAL_LF
          break
        case AT_FINAL_LF:
          if (byte !== LF) return BAD_CHUNK
          this.#state = AT_END
          this.done = true
          return at + 1
        default:
          return this.#takeTrailers(bytes, at, end)
      }
    }
    this.#state = state
    return end
  }

  #startChunk(): void {
    this.#state = IN_SIZE
    this.#size = 0
    this.#digits = 0
    this.#significant = 0
  }

  #addDigit(digit: number): boolean {
    this.#digits++
    if (digit !== 0 || this.#significant > 0) this.#significant++
    this.#size = this.#size * 16 + digit
    return this.#digits <= MAX_SIZE_DIGITS && this.#significant <= MAX_SIGNIFICANT_DIGITS
  }

  #takeTrailers(bytes: Buffer, start: number, end: number): number {
    if (this.#held === null || this.trailers === null) {
      this.#held = Buffer.allocUnsafe(MAX_TRAILER_BYTES)
      this.#heldBytes = 0
      this.trailers = new Head()
      this.trailers.stage = AT_LINE
      this.#state = IN_TRAILERS
    }
    const before = this.#heldBytes
    const taken = bytes.copy(this.#held, before, start, end)
    this.#heldBytes += taken
    const sectionEnd = parseFieldLines(this.trailers, this.#held, 0, this.#heldBytes, 'trailers')
    if (sectionEnd < 0) return sectionEnd
    if (sectionEnd === INCOMPLETE) return this.#heldBytes < MAX_TRAILER_BYTES ? end : TRAILERS_TOO_LARGE
    this.trailers.text = this.#held.toString('latin1', 0, sectionEnd - 2)
    this.#held = null
    this.#state = AT_END
    this.done = true
    return start + sectionEnd - before
  }
}
