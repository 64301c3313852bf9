import type { ServerResponse } from 'node:http'

/** Four pages of metrics of as many routes as can be told apart; most pages are a hundredth of that. */
export const MAX_UNREAD_BYTES = 32 << 20

/**
 * Answers that their readers have not taken whole. Together they are bounded, because a scraper that hangs leaves one
 * behind each time it comes: beyond the bound whoever has waited longest is let go, so that who reads is always served.
 */
export class UnreadAnswers {
  readonly #mostBytes: number
  /** Bytes by answer, the oldest first. */
  readonly #unread = new Map<ServerResponse, number>()
  #bytes = 0

  constructor(mostBytes = MAX_UNREAD_BYTES) {
    this.#mostBytes = mostBytes
  }

  /** Counts an answer that is about to be sent, until it is read or its connection is gone. */
  add(response: ServerResponse, bytes: number): void {
    for (const oldest of this.#unread.keys()) {
      if (this.#bytes + bytes <= this.#mostBytes) break
      this.#forget(oldest)
      oldest.destroy()
    }
    this.#unread.set(response, bytes)
    this.#bytes += bytes
    response.on('close', () => this.#forget(response))
  }

  #forget(response: ServerResponse): void {
    this.#bytes -= this.#unread.get(response) ?? 0
    this.#unread.delete(response)
  }
}
