import type { ClientConnection, ResponseFault, ResponseReceiver } from '../http1/client-connection.ts'
import type { Head } from '../http1/head.ts'
import type { ProtocolError } from '../http1/protocol-error.ts'
import type { RequestReceiver, ServerConnection } from '../http1/server-connection.ts'
import type { ConnectionFault, ConnectionWaiter } from '../upstreams/upstream.ts'
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import type { Origin } from './forwarded.ts'
import { asksWebSocket, isIdempotent, requestHead, requestTrailers } from './request-head.ts'
import type { ResponseDate } from './response-date.ts'
import {
  connectionLine,
  interimHead,
  type ResponseFraming,
  responseHead,
  responseTrailers,
  switchedHead,
} from './response-head.ts'
import type { RouteChoice, RouteTarget } from './route.ts'

/** A dead re-used connection says nothing about the next one; a second fresh one that dies says enough. */
const MAX_REPEATS = 1

/** One step of an exchange, for whoever reads along. */
export type Trace = (
  exchange: Exchange,
  event: string,
  fields: Readonly<Record<string, string | number>>,
) => void

/** What forwarding needs of the pipeline. */
export interface ForwardSite {
  readonly date: ResponseDate
  readonly draining: boolean
  /** Takes the steps of an exchange; null unless they are logged. */
  readonly trace: Trace | null
  nowMs(): number
  /** The gateway answers in the upstream's stead; nothing was sent to the client yet. */
  refuse(client: ServerConnection, exchange: Exchange, failure: Failure): void
  refuseBroken(client: ServerConnection, exchange: Exchange, error: ProtocolError): void
  /** The exchange is over, however it ended. */
  finish(exchange: Exchange): void
}

/**
 * Carries one exchange between its two connections: takes a connection, sends the head, relays both bodies, and says
 * how it ended. Callbacks, not promises: one object is all that a common exchange costs (docs/life-of-a-request.md).
 */
export class Forward implements RequestReceiver, ResponseReceiver, ConnectionWaiter {
  readonly #exchange: Exchange
  readonly #head: Head
  readonly #client: ServerConnection
  readonly #choice: RouteChoice
  readonly #origin: Origin
  readonly #site: ForwardSite
  #connection: ClientConnection | null = null
  #upgrade = false
  /** The response head is on its way to the client: nothing can be taken back. */
  #answered = false
  #tunnel = false
  /** Some of the body, or its end, was handed over: it cannot be had again. */
  #bodySeen = false
  #repeats = 0

  constructor(
    exchange: Exchange,
    head: Head,
    client: ServerConnection,
    target: RouteTarget,
    origin: Origin,
    site: ForwardSite,
  ) {
    this.#exchange = exchange
    this.#head = head
    this.#client = client
    this.#choice = target.choices[0] as RouteChoice
    this.#origin = origin
    this.#site = site
  }

  start(): void {
    this.#upgrade = asksWebSocket(this.#head)
    if (!this.#client.requestDone) this.#client.hold()
    this.#choice.upstream.take(this, 'any')
  }

  // ── a connection ──────────────────────────────────────────────────────────────────────────────────────────

  connected(connection: ClientConnection): void {
    const { upstream, plan } = this.#choice
    const head = this.#head
    this.#connection = connection
    this.#exchange.endpoint = upstream.options.target
    this.#site.trace?.(this.#exchange, 'Proxying request', {
      method: head.method,
      target: upstream.options.target,
    })
    const kind = this.#upgrade ? 'upgrade' : 'plain'
    connection.begin(this, head.method, kind)
    connection.writer.begin(
      requestHead(head, this.#exchange, plan, this.#origin, kind),
      head.chunked ? 'chunked' : 'plain',
    )
    if (this.#client.requestDone) connection.requestEnd()
    else this.#client.release()
  }

  notConnected(fault: ConnectionFault): void {
    this.#exchange.endpoint = this.#choice.upstream.options.target
    this.#refuse(this.#choice.failures.unconnected[fault])
  }

  // ── the request's body ────────────────────────────────────────────────────────────────────────────────────

  body(bytes: Buffer, start: number, end: number): void {
    this.#exchange.bytesIn += end - start
    this.#bodySeen = true
    const connection = this.#connection
    if (connection === null) return
    connection.writer.body(bytes, start, end)
  }

  bodyEnd(trailers: Head | null): void {
    this.#bodySeen = true
    const connection = this.#connection
    if (connection === null) return
    connection.writer.end(requestTrailers(trailers, this.#choice.plan))
    connection.requestEnd()
  }

  bodyPause(): void {
    const connection = this.#connection
    if (connection === null) return
    connection.writer.flush()
    if (connection.congested()) this.#client.hold()
  }

  upstreamDrained(): void {
    this.#client.release()
  }

  bodyBroken(error: ProtocolError): void {
    this.#leaveUpstream()
    if (this.#answered) this.#breakClient()
    else this.#site.refuseBroken(this.#client, this.#exchange, error)
  }

  // ── the response ──────────────────────────────────────────────────────────────────────────────────────────

  interim(head: Head): void {
    if (this.#head.minor === 1) this.#client.writer.begin(interimHead(head), 'plain')
  }

  response(head: Head): void {
    const client = this.#client
    const framing = this.#framing(head)
    this.#answered = true
    this.#exchange.status = head.status
    this.#exchange.respondedMs = this.#site.nowMs()
    this.#site.trace?.(this.#exchange, 'Received response from upstream', { upstream_status: head.status })
    if (framing === 'close' || !client.requestDone || this.#site.draining) client.closeAfter = true
    const connection = connectionLine(this.#head.minor, client.closeAfter ? 'closes' : 'stays')
    client.writer.begin(
      responseHead(head, this.#exchange, framing, connection, this.#site.date, this.#exchange.respondedMs),
      framing === 'chunked' && this.#hasBody(head) ? 'chunked' : 'plain',
    )
  }

  responseBody(bytes: Buffer, start: number, end: number): void {
    this.#exchange.bytesOut += end - start
    this.#client.writer.body(bytes, start, end)
    if (this.#tunnel) this.#connection?.allowSilence()
  }

  responsePause(): void {
    this.#client.writer.flush()
    if (this.#client.congested()) this.#connection?.hold()
  }

  clientDrained(): void {
    this.#connection?.release()
  }

  responseEnd(trailers: Head | null): void {
    this.#connection = null
    this.#client.writer.end(responseTrailers(trailers))
    this.#site.finish(this.#exchange)
    this.#client.responseEnd()
  }

  responseFailed(fault: ResponseFault): void {
    const isReused = (this.#connection?.uses ?? 0) > 1
    this.#connection = null
    if (this.#tunnel) {
      this.#site.finish(this.#exchange)
      this.#client.close()
      return
    }
    if (this.#answered) {
      this.#exchange.code = fault === 'timeout' ? 'upstream_timeout' : 'upstream_invalid'
      this.#breakClient()
      return
    }
    const failure = this.#choice.failures.unanswered[fault]
    if (isReused && this.#mayRepeat(failure)) {
      this.#repeats++
      this.#site.trace?.(this.#exchange, 'Repeating request on a fresh connection', { fault })
      if (!this.#client.requestDone) this.#client.hold()
      this.#choice.upstream.take(this, 'fresh')
      return
    }
    this.#refuse(failure)
  }

  // ── the client ────────────────────────────────────────────────────────────────────────────────────────────

  clientGone(): void {
    this.#exchange.aborted = !this.#tunnel
    this.#leaveUpstream()
    this.#site.finish(this.#exchange)
  }

  // ── a tunnel ──────────────────────────────────────────────────────────────────────────────────────────────

  switched(head: Head): void {
    const client = this.#client
    this.#answered = true
    this.#tunnel = true
    this.#exchange.status = 101
    client.closeAfter = true
    client.writer.begin(switchedHead(head, this.#exchange, this.#site.nowMs()), 'plain')
    client.writer.flush()
    this.#connection?.allowSilence()
    client.becomeTunnel()
  }

  clientBytes(bytes: Buffer, start: number, end: number): void {
    this.#exchange.bytesIn += end - start
    this.#connection?.writer.body(bytes, start, end)
    this.#connection?.allowSilence()
  }

  clientEnded(): void {
    this.#connection?.finish()
  }

  upstreamEnded(): void {
    this.#client.finish()
  }

  // ── endings ───────────────────────────────────────────────────────────────────────────────────────────────

  #refuse(failure: Failure): void {
    this.#leaveUpstream()
    this.#site.refuse(this.#client, this.#exchange, failure)
  }

  /** The client must not take what it got for a whole message. */
  #breakClient(): void {
    this.#client.writer.flush()
    this.#client.receiver = null
    this.#site.finish(this.#exchange)
    this.#client.abort(this.#head.minor === 0 ? 'reset' : 'close')
  }

  #leaveUpstream(): void {
    const connection = this.#connection
    this.#connection = null
    if (connection === null) this.#choice.upstream.cancel(this)
    else connection.abandon()
  }

  /** Never a request of which a byte may have been acted on, unless acting twice is the same as acting once. */
  #mayRepeat(failure: Failure): boolean {
    if (this.#repeats >= MAX_REPEATS || this.#bodySeen) return false
    if (failure.replay === 'always') return true
    return failure.replay === 'idempotent' && isIdempotent(this.#head.method)
  }

  #framing(head: Head): ResponseFraming {
    const canChunk = this.#head.minor === 1
    if (!this.#hasBody(head))
      return head.chunked && canChunk && this.#head.method === 'HEAD' ? 'chunked' : 'as-is'
    if (head.contentLength >= 0) return 'as-is'
    return canChunk ? 'chunked' : 'close'
  }

  #hasBody(head: Head): boolean {
    return this.#head.method !== 'HEAD' && head.status !== 204 && head.status !== 304
  }
}
