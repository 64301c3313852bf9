import type { RetryConfig } from '../config/config.ts'
import type { Head } from '../http1/head.ts'
import type { MessageWriter } from '../http1/message-writer.ts'
import { isIdempotent } from './request-head.ts'

/** Larger bodies are not kept. */
const MAX_KEPT_BYTES = 65_536
/** Of all exchanges of a thread at a time. */
const MAX_THREAD_BYTES = 16_777_216

let threadBytes = 0

/** Whether a request may have to be sent again after its body was. */
export function isWorthKeeping(head: Head, retry: RetryConfig): boolean {
  if (head.contentLength > MAX_KEPT_BYTES || !isIdempotent(head.method)) return false
  return retry.on.some((condition) => condition !== 'connect')
}

/** A small request body, kept so that the request can be sent again. */
export class KeptBody {
  #bytes: Buffer | null = null
  #length = 0
  #trailers = ''
  #state: 'arriving' | 'whole' | 'lost' = 'arriving'

  /** All of it is here. */
  get isWhole(): boolean {
    return this.#state === 'whole'
  }

  keep(bytes: Buffer, start: number, end: number): void {
    if (this.#state !== 'arriving') return
    const length = this.#length + end - start
    if (length > MAX_KEPT_BYTES || !this.#fits(length)) {
      this.release()
      return
    }
    bytes.copy(this.#bytes as Buffer, this.#length, start, end) // `fits` made it
    this.#length = length
  }

  /** Its end; `trailers` are complete field lines. */
  end(trailers: string): void {
    if (this.#state !== 'arriving') return
    this.#state = 'whole'
    this.#trailers = trailers
  }

  /** Writes it behind a head that was begun. */
  replay(writer: Pick<MessageWriter, 'body' | 'end'>): void {
    if (this.#bytes !== null) writer.body(this.#bytes, 0, this.#length)
    writer.end(this.#trailers)
  }

  /** It will not be wanted, or is too much. */
  release(): void {
    threadBytes -= this.#bytes?.length ?? 0
    this.#bytes = null
    this.#state = 'lost'
  }

  /** Makes room for so many bytes, unless the thread keeps too much already. */
  #fits(length: number): boolean {
    const before = this.#bytes
    if (before !== null && length <= before.length) return true
    const size = Math.min(MAX_KEPT_BYTES, Math.max(length, (before?.length ?? 0) * 2))
    const more = size - (before?.length ?? 0)
    if (threadBytes + more > MAX_THREAD_BYTES) return false
    threadBytes += more
    this.#bytes = Buffer.allocUnsafeSlow(size)
    before?.copy(this.#bytes, 0, 0, this.#length)
    return true
  }
}
