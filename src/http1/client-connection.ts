import type { Socket } from 'node:net'
import { BodyReader } from './body-reader.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import type { Head } from './head.ts'
import { INCOMPLETE, parseResponseHead, protocolError, resetHead } from './head-parser.ts'
import { Intake } from './intake.ts'
import { keepAliveMs } from './keep-alive.ts'
import { NO_BATCH } from './loop-epoch.ts'
import { MessageWriter } from './message-writer.ts'
import { type DialOptions, dialSocket, queuedBytes, type SocketOwner } from './socket.ts'
import { Deadline, type DeadlineOwner } from './timer-wheel.ts'
import type { Wire } from './wire.ts'

/** Long before any epoch: a connection that carried nothing has nothing behind it. */
const NEVER = -10

/** More interim responses than this before a final one are an attack. */
const MAX_INTERIMS = 32

/** Of a response that nobody wants, as much is read as is sent at once anyway. */
const MAX_DISCARDED_BYTES = 16_384

/**
 * Why no whole response came. `closed` and `reset`: the server ended the connection; `malformed`: what it sent is no
 * HTTP/1.1 response; `stray`: bytes that cannot be the answer; `unasked`: a 101 nobody asked for; `timeout`.
 */
export type ResponseFault = 'closed' | 'reset' | 'malformed' | 'stray' | 'unasked' | 'timeout'

/** What one request's response is told to. */
export interface ResponseReceiver {
  /** A 1xx other than 101. */
  interim(head: Head): void
  response(head: Head): void
  /** The 101 that was asked for: from here on both sides are a tunnel. */
  switched(head: Head): void
  responseBody(bytes: Buffer, start: number, end: number): void
  /** The connection may be re-used from here on, or is closed: it is no longer the receiver's. */
  responseEnd(trailers: Head | null): void
  responseFailed(fault: ResponseFault): void
  /** No more bytes for now: flush. */
  responsePause(): void
  upstreamDrained(): void
  /** Only in a tunnel: the server shut down its side. */
  upstreamEnded(): void
}

/** `upgrade`: it asks for a 101. */
export type RequestKind = 'plain' | 'upgrade'

type Phase = 'dialling' | 'idle' | 'head' | 'body' | 'tunnel' | 'closed'

/** One connection to an upstream's endpoint: one request after another, and re-used only if both messages ended exactly where framing said. */
export class ClientConnection extends Intake implements SocketOwner, DeadlineOwner {
  readonly socket: Socket
  readonly writer: MessageWriter
  /** Requests it has carried. */
  uses = 0
  /** When it became idle, ms. */
  idleSinceMs = 0
  /** What the server says it keeps an idle connection for (Keep-Alive: timeout), ms; 0: it does not say. */
  keepAliveMs = 0
  readonly #wire: Wire
  readonly #owner: ConnectionOwner
  readonly #deadline = new Deadline(this)
  readonly #reader = new BodyReader()
  #receiver: ResponseReceiver | null = null
  #head: Head | null = null
  #phase: Phase = 'dialling'
  #expectsBody = true
  #asksUpgrade = false
  /** Limits of the exchange it carries, ms. */
  #headMs = 0
  #idleMs = 0
  #requestDone = false
  #keepAlive = true
  #interims = 0
  #slowBytes = -1
  #sentEpoch = NO_BATCH
  #idleEpoch = NEVER

  constructor(dial: DialOptions, owner: ConnectionOwner, connectMs: number, wire: Wire) {
    super(wire.epoch)
    this.#wire = wire
    this.#owner = owner
    this.socket = dialSocket(dial, this, () => this.#connected())
    this.writer = new MessageWriter(this.socket)
    wire.wheel.set(this.#deadline, connectMs)
  }

  /** Whether bytes that had already reached this machine when it became idle have been looked for. */
  get settled(): boolean {
    return this.epoch.isPast(this.#idleEpoch)
  }

  /**
   * Takes it for one exchange. The caller writes the head next. `headMs` is the longest from the request's last byte to
   * the response's head, `idleMs` the longest pause without progress.
   */
  begin(receiver: ResponseReceiver, method: string, kind: RequestKind, headMs: number, idleMs: number): void {
    this.#headMs = headMs
    this.#idleMs = idleMs
    this.#receiver = receiver
    this.#phase = 'head'
    this.#expectsBody = method !== 'HEAD'
    this.#asksUpgrade = kind === 'upgrade'
    this.#requestDone = false
    this.#interims = 0
    this.uses++
    this.#sentEpoch = this.epoch.mark()
  }

  /** The request is written, its last byte included. */
  requestEnd(): void {
    this.writer.flush()
    this.#requestDone = true
    if (this.#phase === 'head') this.#wire.wheel.set(this.#deadline, this.#headMs)
  }

  /** After a write: true if the server reads too slowly for now. While it does not, an upload has only the client to wait for. */
  congested(): boolean {
    if (!this.writer.blocked) return false
    this.#watchWriting()
    return true
  }

  /** In a tunnel: another pause of at most the idle limit is fine. */
  allowSilence(): void {
    if (this.#slowBytes < 0) this.#wire.wheel.set(this.#deadline, this.#idleMs)
  }

  /** In a tunnel: the client's side has ended. */
  finish(): void {
    this.writer.flush()
    this.socket.end()
  }

  /**
   * Within `response`: nothing more of it is wanted. A little is read and dropped, so that the connection can be used
   * again; for more, the connection is given up.
   */
  discard(): void {
    const remaining = this.#reader.done ? 0 : this.#reader.remaining
    if (this.#requestDone && remaining !== null && remaining <= MAX_DISCARDED_BYTES) this.#receiver = null
    else this.abandon()
  }

  /** The exchange is over for its receiver: nothing more is told, the connection is of no further use. */
  abandon(): void {
    this.#receiver = null
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#owner.abandoned(this)
    this.socket.destroy()
  }

  override hold(): void {
    this.#wire.wheel.clear(this.#deadline)
    super.hold()
  }

  override release(): void {
    if (this.held) this.#wire.wheel.set(this.#deadline, this.#idleMs)
    super.release()
  }

  protected get incomplete(): boolean {
    return this.#phase === 'head'
  }

  protected get receptive(): boolean {
    return true
  }

  /** Nothing: an end of the connection that is read before what was kept is handed on would overtake it. */
  protected get heldBytes(): number {
    return 0
  }

  protected consume(bytes: Buffer, start: number, end: number): number {
    let position = start
    while (position < end && !this.held) {
      if (this.#phase === 'head') {
        const next = this.#readHead(bytes, position, end)
        if (next === INCOMPLETE) return position
        position = next
      } else if (this.#phase === 'body') {
        position = this.#readBody(bytes, position, end)
      } else if (this.#phase === 'tunnel') {
        this.#receiver?.responseBody(bytes, position, end)
        return end
      } else {
        // A byte nobody asked for: whatever it belongs to, this connection's framing cannot be trusted any more.
        if (this.#phase === 'idle') this.#owner.surplus()
        this.abandon()
        return end
      }
    }
    return position
  }

  protected consumed(): void {
    this.#receiver?.responsePause()
  }

  #connected(): void {
    if (this.#phase !== 'dialling') return
    this.#phase = 'idle'
    this.idleSinceMs = this.#wire.wheel.nowMs
    this.#wire.wheel.clear(this.#deadline)
    this.#owner.connected(this)
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    if (this.#sentEpoch === this.epoch.now) {
      this.#owner.surplus()
      this.#fail('stray')
      return end
    }
    this.#head ??= this.#wire.heads.take()
    const head = this.#head
    const next = parseResponseHead(head, bytes, start, end)
    if (next === INCOMPLETE) return INCOMPLETE
    if (next < 0) {
      this.#fail(protocolError(next).code === 'timeout' ? 'timeout' : 'malformed')
      return end
    }
    if (head.status === 101) {
      if (this.#asksUpgrade && head.upgrade) this.#switch(head)
      else this.#fail('unasked')
    } else if (head.status < 200) this.#interim(head)
    else this.#respond(head, end - next)
    return this.#phase === 'closed' ? end : next
  }

  #interim(head: Head): void {
    if (++this.#interims > MAX_INTERIMS) {
      this.#fail('malformed')
      return
    }
    this.#receiver?.interim(head)
    resetHead(head)
  }

  #switch(head: Head): void {
    this.#phase = 'tunnel'
    this.#keepAlive = false
    this.#receiver?.switched(head)
    this.#releaseHead()
  }

  #respond(head: Head, behind: number): void {
    const hasBody = this.#expectsBody && head.status !== 204 && head.status !== 304
    const framing = !hasBody
      ? 'none'
      : head.chunked
        ? 'chunked'
        : head.contentLength >= 0
          ? 'sized'
          : 'until-close'
    // Framing fields where there can be no body: whether bytes follow all the same, only the server knows.
    const isDoubtful =
      head.status === 204 ? head.chunked || head.contentLength > 0 : head.status === 304 && head.chunked
    this.#keepAlive = head.keepAlive && framing !== 'until-close' && !isDoubtful
    this.#phase = 'body'
    this.#reader.begin(framing, head.contentLength)
    this.#wire.wheel.set(this.#deadline, this.#idleMs)
    this.#receiver?.response(head)
    if (this.#reader.done && this.#phase === 'body') this.#end(behind, null)
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const reader = this.#reader
    const position = reader.read(bytes, start, end, this)
    if (this.#phase !== 'body') return end
    if (reader.error !== null) {
      this.#fail('malformed')
      return end
    }
    if (reader.done) this.#end(end - position, reader.trailers)
    else if (!this.held && this.#slowBytes < 0) this.#wire.wheel.set(this.#deadline, this.#idleMs)
    return position
  }

  /** The body reader's sink. */
  body(bytes: Buffer, start: number, end: number): void {
    this.#receiver?.responseBody(bytes, start, end)
  }

  /** The response is whole. `behind`: how many bytes came behind it, which can only be wrong. */
  #end(behind: number, trailers: Head | null): void {
    const receiver = this.#receiver
    this.#receiver = null
    if (behind > 0) this.#owner.surplus()
    // What was kept for a slow client is used at a time when nobody has looked at what came behind it.
    const again =
      behind === 0 && this.#keepAlive && this.#requestDone && !this.writer.blocked && !this.replaying
    if (again) {
      this.#phase = 'idle'
      if (this.#head !== null && this.keepAliveMs === 0) this.keepAliveMs = keepAliveMs(this.#head)
      this.#wire.wheel.clear(this.#deadline)
      this.idleSinceMs = this.#wire.wheel.nowMs
      this.#idleEpoch = this.epoch.now
      this.#releaseHead()
    } else this.abandon()
    receiver?.responseEnd(trailers)
    if (again && this.#phase === 'idle') this.#owner.idle(this)
  }

  #fail(fault: ResponseFault): void {
    const receiver = this.#receiver
    this.abandon()
    receiver?.responseFailed(fault)
  }

  #releaseHead(): void {
    if (this.#head === null) return
    this.#wire.heads.give(this.#head)
    this.#head = null
  }

  #watchWriting(): void {
    this.#slowBytes = queuedBytes(this.socket)
    this.#wire.wheel.set(this.#deadline, this.#idleMs)
  }

  expire(): void {
    if (this.#phase === 'dialling') {
      this.#phase = 'closed'
      this.socket.destroy()
      this.#owner.dialFailed(this, { code: 'timeout' })
      return
    }
    if (this.#slowBytes >= 0 && queuedBytes(this.socket) !== this.#slowBytes) this.#watchWriting()
    else this.#fail('timeout')
  }

  drained(): void {
    this.epoch.count()
    this.#taken()
    this.#receiver?.upstreamDrained()
  }

  flushed(): void {
    this.#taken()
  }

  /** The server has read what was written: what is waited for now is the rest of the request, or the response. */
  #taken(): void {
    if (this.#slowBytes < 0) return
    this.#slowBytes = -1
    const { wheel } = this.#wire
    if (this.held || (this.#phase === 'head' && !this.#requestDone)) wheel.clear(this.#deadline)
    else if (this.#phase === 'head') wheel.set(this.#deadline, this.#headMs)
    else if (this.#phase === 'body' || this.#phase === 'tunnel') wheel.set(this.#deadline, this.#idleMs)
  }

  peerEnded(): void {
    if (this.#phase === 'tunnel') {
      this.#receiver?.upstreamEnded()
      return
    }
    if (this.#phase === 'body' && this.#reader.untilClose && !this.stashed) {
      const receiver = this.#receiver
      this.abandon()
      receiver?.responseEnd(null)
      return
    }
    this.#fail('closed')
  }

  closed(error: string | null): void {
    const phase = this.#phase
    this.#phase = 'closed'
    this.#wire.wheel.remove(this.#deadline)
    this.drop()
    this.#head = null
    const receiver = this.#receiver
    this.#receiver = null
    if (phase === 'dialling') this.#owner.dialFailed(this, { code: error ?? 'UNKNOWN' })
    else receiver?.responseFailed(error === null ? 'closed' : 'reset')
    this.#owner.closed(this)
  }
}
