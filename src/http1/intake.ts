import type { Socket } from 'node:net'
import type { LoopEpoch } from './loop-epoch.ts'

const FIRST_STASH_BYTES = 2_048
/** What may be kept unused before the socket is paused. As long as it is not, a peer that leaves is noticed. */
export const KEPT_BYTES = 65_536

/**
 * The reading half of a connection: hands bytes to `consume` straight from the thread's read buffer, keeps what could
 * not be used yet, and stops the socket while nothing may be used. What it keeps is bounded by one read, or by the
 * head limit while a head is incomplete.
 */
export abstract class Intake {
  protected readonly epoch: LoopEpoch
  /** Set by the subclass at birth, as soon as there is a socket. */
  abstract readonly socket: Socket
  #stash: Buffer | null = null
  #stashEnd = 0
  #held = false
  #consuming = false
  #paused = false
  #replaying = false

  constructor(epoch: LoopEpoch) {
    this.epoch = epoch
  }

  /** Uses bytes[position, end) as far as may be; gives the position reached. */
  protected abstract consume(bytes: Buffer, position: number, end: number): number

  /** After a round of `consume`: time to flush what it led to. */
  protected abstract consumed(): void

  /** True while what is left is the beginning of something, so that more must be read. */
  protected abstract readonly incomplete: boolean

  /** How much is read ahead while held: as long as something is read, a peer that leaves is noticed. */
  protected abstract readonly heldBytes: number

  /** True while bytes may be used at all; what comes otherwise waits. */
  protected abstract readonly receptive: boolean

  protected get stashed(): boolean {
    return this.#stash !== null
  }

  protected get stashedBytes(): number {
    return this.#stash === null ? 0 : this.#stashEnd
  }

  /** True while kept bytes are used, so that the kernel may hold more that nobody has looked for. */
  protected get replaying(): boolean {
    return this.#replaying
  }

  get held(): boolean {
    return this.#held
  }

  /** Back-pressure: no more bytes are handed on until `release`. */
  hold(): void {
    if (this.#held) return
    this.#held = true
    if (!this.#consuming) this.#pauseIfFull()
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    this.proceed()
  }

  /** Goes on with what was kept, then with the socket. Harmless in the middle of `consume`, which goes on by itself. */
  protected proceed(): void {
    if (this.#consuming || this.#held) return
    const stash = this.#stash
    if (stash !== null && this.receptive) {
      this.#stash = null
      this.#replaying = true
      this.#run(stash, this.#stashEnd)
      this.#replaying = false
    } else this.consumed()
    this.#resumeIfWanted()
  }

  readable(bytes: Buffer, end: number): void {
    this.epoch.count()
    if (this.#stash === null) {
      this.#run(bytes, end)
      return
    }
    this.#keep(bytes, 0, end)
    if (this.#held || !this.receptive || this.#consuming) {
      this.#pauseIfFull()
      return
    }
    const stash = this.#stash
    this.#stash = null
    this.#run(stash, this.#stashEnd)
  }

  /** Forgets everything: the connection is over. */
  protected drop(): void {
    this.#stash = null
  }

  #run(bytes: Buffer, end: number): void {
    this.#consuming = true
    const position = this.#held ? 0 : this.consume(bytes, 0, end)
    this.#consuming = false
    if (position < end) this.#keep(bytes, position, end)
    this.#pauseIfFull()
    this.#resumeIfWanted()
    this.consumed()
  }

  /** What is incomplete is bounded by its own limit and must be read on. */
  get #isFull(): boolean {
    if (this.#held) return this.stashedBytes >= this.heldBytes
    return this.#stash !== null && this.#stashEnd >= KEPT_BYTES && !this.incomplete
  }

  #pauseIfFull(): void {
    if (this.#isFull) this.#pause()
  }

  #resumeIfWanted(): void {
    if (!this.#paused || this.#isFull) return
    this.#paused = false
    this.socket.resume()
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const length = end - start
    const stash = this.#stash
    if (stash === null) {
      this.#stash = Buffer.allocUnsafeSlow(Math.max(length, FIRST_STASH_BYTES))
      bytes.copy(this.#stash, 0, start, end)
      this.#stashEnd = length
      return
    }
    const total = this.#stashEnd + length
    if (total > stash.length) {
      this.#stash = Buffer.allocUnsafeSlow(Math.max(total, stash.length * 2))
      stash.copy(this.#stash, 0, 0, this.#stashEnd)
    }
    bytes.copy(this.#stash as Buffer, this.#stashEnd, start, end)
    this.#stashEnd = total
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.socket.pause()
  }
}
