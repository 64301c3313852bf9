import type { Socket } from 'node:net'
import { BodyReader } from './body-reader.ts'
import type { Head } from './head.ts'
import { INCOMPLETE, parseRequestHead, protocolError } from './head-parser.ts'
import { Intake, KEPT_BYTES } from './intake.ts'
import { MessageWriter } from './message-writer.ts'
import type { ProtocolError } from './protocol-error.ts'
import { adoptSocket, queuedBytes, type SocketOwner } from './socket.ts'
import { Deadline, type DeadlineOwner } from './timer-wheel.ts'
import type { Wire } from './wire.ts'

/** How long a closed connection is still read from, so that the client sees the answer and not a reset. */
const LINGER_MS = 2_000

const TOO_SLOW: ProtocolError = { code: 'timeout', reason: 'too slow' }

/** What one request's body, and its client's fate, are told to. */
export interface RequestReceiver {
  body(bytes: Buffer, start: number, end: number): void
  /** Not called for a request that was whole with its head: see `requestDone`. */
  bodyEnd(trailers: Head | null): void
  /** The body broke its framing or stalled; nothing more of it will come. */
  bodyBroken(error: ProtocolError): void
  /** No more bytes for now: flush. */
  bodyPause(): void
  clientGone(): void
  clientDrained(): void
  /** Only in a tunnel. */
  clientBytes(bytes: Buffer, start: number, end: number): void
  clientEnded(): void
}

/** What serves the requests of a listener's connections. */
export interface RequestServer {
  /** A head is complete; `connection.receiver` is to be set for the rest. */
  request(connection: ServerConnection, head: Head): void
  /** The client sent something that is no request, or none in time; the connection closes after the answer. */
  broken(connection: ServerConnection, error: ProtocolError): void
  closed(connection: ServerConnection): void
}

export interface ServerLimits {
  readonly headMs: number
  readonly bodyMs: number
  readonly idleMs: number
}

type Phase = 'head' | 'body' | 'answering' | 'tunnel' | 'linger' | 'closed'

/** One client's connection: its requests in order, one at a time, each answered before the next is looked at. */
export class ServerConnection extends Intake implements DeadlineOwner, SocketOwner {
  readonly socket: Socket
  readonly writer: MessageWriter
  /** The peer's address; an IPv4 address in IPv6 clothes is undressed. */
  readonly remoteAddress: string
  receiver: RequestReceiver | null = null
  /** No further request after this one; the response must say so. */
  closeAfter = false
  /** Whatever its server wants to keep as long as the connection lasts. */
  memo: unknown = null
  readonly #wire: Wire
  readonly #server: RequestServer
  readonly #limits: ServerLimits
  readonly #deadline = new Deadline(this)
  readonly #reader = new BodyReader()
  #head: Head | null = null
  #phase: Phase = 'head'
  #peerEnded = false
  #endTold = false
  #responded = false
  /** Bytes that were queued when a slow reader was last looked at; -1: none is being watched. */
  #slowBytes = -1
  /** The next request waits until the client has taken more of what is written. */
  #nextWaits = false

  /** `remoteAddress`: as it was at accepting; a peer that has reset the connection has none any more. */
  constructor(
    accepted: Socket,
    remoteAddress: string,
    server: RequestServer,
    limits: ServerLimits,
    wire: Wire,
  ) {
    super(wire.epoch)
    const isMapped = remoteAddress.startsWith('::ffff:') && remoteAddress.includes('.')
    this.remoteAddress = isMapped ? remoteAddress.slice(7) : remoteAddress
    this.#wire = wire
    this.#server = server
    this.#limits = limits
    this.socket = adoptSocket(accepted, this)
    this.writer = new MessageWriter(this.socket)
    wire.wheel.set(this.#deadline, limits.idleMs)
  }

  /** The whole request, body included, has arrived. */
  get requestDone(): boolean {
    return this.#phase !== 'body'
  }

  /** Body bytes still to come; null if only the end will tell. */
  get bodyRemaining(): number | null {
    return this.#reader.remaining
  }

  /** Waiting for a request of which nothing has arrived. */
  get idle(): boolean {
    return this.#phase === 'head' && !this.stashed
  }

  /** Some of what was written has not left this process yet. */
  get unsent(): boolean {
    return this.#phase !== 'closed' && queuedBytes(this.socket) > 0
  }

  /** Takes the bytes behind the request for a tunnel's; after the 101 was written. */
  becomeTunnel(): void {
    this.#phase = 'tunnel'
    this.#wire.wheel.clear(this.#deadline)
    this.proceed()
  }

  /** The response is written. What follows depends on what of the request is still to come, and on `closeAfter`. */
  responseEnd(): void {
    this.writer.flush()
    this.receiver = null
    this.#responded = true
    if (this.#phase === 'closed') return
    if (this.closeAfter) this.close()
    else if (this.#phase === 'answering') this.#nextOnceTaken()
    else this.release() // the rest of the body is read and dropped
  }

  /** Ends the connection once everything written has left, reading on for a while so that no reset destroys the answer. */
  close(): void {
    if (this.#phase === 'closed' || this.#phase === 'linger') return
    this.#phase = 'linger'
    this.receiver = null
    this.#nextWaits = false
    this.#releaseHead()
    this.writer.flush()
    this.socket.end()
    this.#watchLinger()
    this.release()
    this.proceed()
  }

  /** Ends it now; `reset` makes sure that the client cannot take what it got for a whole message. */
  abort(how: 'close' | 'reset'): void {
    if (this.#phase === 'closed') return
    if (how === 'reset') this.socket.resetAndDestroy()
    else this.socket.destroy()
  }

  /** After a write: true if the client reads too slowly for now. `clientDrained` follows, or the end of the connection. */
  congested(): boolean {
    if (!this.writer.blocked) return false
    this.#watchReader()
    return true
  }

  /** In a tunnel: the server's side has ended. */
  finish(): void {
    this.writer.flush()
    this.socket.end()
  }

  override release(): void {
    if (this.#phase === 'body' && this.held) this.#wire.wheel.set(this.#deadline, this.#limits.bodyMs)
    super.release()
  }

  override hold(): void {
    if (this.#slowBytes < 0) this.#wire.wheel.clear(this.#deadline)
    super.hold()
  }

  protected get incomplete(): boolean {
    return this.#phase === 'head'
  }

  protected get receptive(): boolean {
    return this.#phase !== 'answering'
  }

  protected get heldBytes(): number {
    return KEPT_BYTES
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
        this.receiver?.clientBytes(bytes, position, end)
        return end
      } else if (this.#phase === 'answering') {
        return position
      } else {
        return end
      }
    }
    return position
  }

  protected consumed(): void {
    this.receiver?.bodyPause()
    if (this.#peerEnded) this.#judgeEnd()
    if (this.#phase !== 'head' || !this.stashed) return
    if (this.#peerEnded) this.close()
    else if (this.#deadline.atMs === 0) this.#wire.wheel.set(this.#deadline, this.#limits.headMs)
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    this.#head ??= this.#wire.heads.take()
    const head = this.#head
    const isFirstLook = head.scanned === 0
    const next = parseRequestHead(head, bytes, start, end)
    if (next === INCOMPLETE) {
      if (isFirstLook) this.#wire.wheel.clear(this.#deadline) // the idle limit ends, `consumed` starts the head's
      return INCOMPLETE
    }
    if (next < 0) {
      this.#breakOff(protocolError(next))
      return end
    }
    this.#begin(head)
    return next
  }

  #begin(head: Head): void {
    this.closeAfter = !head.keepAlive
    this.#responded = false
    this.#reader.begin(
      head.chunked ? 'chunked' : head.contentLength >= 0 ? 'sized' : 'none',
      head.contentLength,
    )
    const whole = this.#reader.done
    this.#phase = whole ? 'answering' : 'body'
    if (whole) this.#wire.wheel.clear(this.#deadline)
    else this.#wire.wheel.set(this.#deadline, this.#limits.bodyMs)
    this.#server.request(this, head)
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const reader = this.#reader
    const position = reader.read(bytes, start, end, this.receiver)
    if (this.#phase !== 'body') return end // the receiver gave the connection up
    if (reader.error !== null) {
      const receiver = this.receiver
      if (receiver === null) this.close()
      else receiver.bodyBroken(reader.error)
      return end
    }
    if (!reader.done) {
      if (!this.held) this.#wire.wheel.set(this.#deadline, this.#limits.bodyMs)
      return position
    }
    this.#phase = 'answering'
    if (this.#slowBytes < 0) this.#wire.wheel.clear(this.#deadline)
    if (this.#responded) this.#nextOnceTaken()
    else this.receiver?.bodyEnd(reader.trailers)
    return position
  }

  /** A client that asks ahead and does not read would fill this machine's memory with answers. */
  #nextOnceTaken(): void {
    this.#nextWaits = this.congested()
    if (!this.#nextWaits) this.#next()
  }

  #next(): void {
    this.#releaseHead()
    this.#phase = 'head'
    if (this.#peerEnded && !this.stashed) {
      this.close()
      return
    }
    this.#wire.wheel.set(this.#deadline, this.#limits.idleMs)
    this.release()
    this.proceed()
  }

  #breakOff(error: ProtocolError): void {
    this.closeAfter = true
    this.#phase = 'answering'
    this.#server.broken(this, error)
  }

  #releaseHead(): void {
    if (this.#head === null) return
    this.#wire.heads.giveLater(this.#head)
    this.#head = null
  }

  /** The client has another limit's time to take some of what is queued. */
  #watchReader(): void {
    this.#slowBytes = queuedBytes(this.socket)
    this.#wire.wheel.set(this.#deadline, this.#limits.bodyMs)
  }

  /** While bytes are still queued their reader may be slow, as long as it reads at all; then a moment to see the peer's end. */
  #watchLinger(): void {
    const queued = queuedBytes(this.socket)
    this.#slowBytes = queued > 0 ? queued : -1
    this.#wire.wheel.set(this.#deadline, queued > 0 ? this.#limits.bodyMs : LINGER_MS)
  }

  expire(): void {
    if (this.#slowBytes >= 0) {
      const isStuck = queuedBytes(this.socket) === this.#slowBytes
      if (isStuck) this.abort('reset')
      else if (this.#phase === 'linger') this.#watchLinger()
      else this.#watchReader()
      return
    }
    if (this.#phase === 'head' && this.stashed) this.#breakOff(TOO_SLOW)
    else if (this.#phase === 'head') this.close()
    else if (this.#phase === 'body' && this.receiver !== null) this.receiver.bodyBroken(TOO_SLOW)
    else this.abort('close')
  }

  drained(): void {
    this.epoch.count()
    this.#slowBytes = -1
    this.#watchPhase()
    if (this.#nextWaits) {
      this.#nextWaits = false
      this.#next()
    } else this.receiver?.clientDrained()
  }

  flushed(): void {
    this.#slowBytes = -1
    this.#watchPhase()
  }

  /** Sets the limit of the present phase anew. */
  #watchPhase(): void {
    const { wheel } = this.#wire
    if (this.#phase === 'head')
      wheel.set(this.#deadline, this.stashed ? this.#limits.headMs : this.#limits.idleMs)
    else if (this.#phase === 'body' && !this.held) wheel.set(this.#deadline, this.#limits.bodyMs)
    else if (this.#phase === 'linger') this.#watchLinger()
    else wheel.clear(this.#deadline)
  }

  peerEnded(): void {
    this.#peerEnded = true
    if (this.#phase === 'head') this.close()
    else this.#judgeEnd()
  }

  /** The client sends no more than what has been kept: a message may be cut short, a tunnel's side over. */
  #judgeEnd(): void {
    if (this.#phase === 'body' && this.#isCutShort) this.abort('close')
    if (this.#phase !== 'tunnel' || this.stashed || this.#endTold) return
    this.#endTold = true
    this.receiver?.clientEnded()
  }

  /** What has been kept cannot be the rest of the body. */
  get #isCutShort(): boolean {
    const remaining = this.#reader.remaining
    return remaining === null ? !this.stashed : this.stashedBytes < remaining
  }

  closed(_error: string | null): void {
    this.#phase = 'closed'
    this.#wire.wheel.remove(this.#deadline)
    this.drop()
    const receiver = this.receiver
    this.receiver = null
    receiver?.clientGone()
    this.#head = null // not for re-use: a policy that still waits may read it
    this.#server.closed(this)
  }
}
