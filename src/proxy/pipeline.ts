import type { Head } from '../http1/head.ts'
import type { ProtocolError } from '../http1/protocol-error.ts'
import type { RequestServer, ServerConnection } from '../http1/server-connection.ts'
import type { Tracer } from '../observe/tracing/tracer.ts'
import type { Answer } from './answer.ts'
import { Exchange } from './exchange.ts'
import { type Failure, failure } from './failure.ts'
import { Forward } from './forward.ts'
import type { ForwardSite, Trace } from './forward-site.ts'
import { type Origin, Peer, type TrustsPeer } from './forwarded.ts'
import type { StreamOpened } from './open-stream.ts'
import type { Verdict } from './policy.ts'
import { brokenFailure } from './protocol-failure.ts'
import { canDropRest, reply } from './refuse.ts'
import { requestIdOf } from './request-id.ts'
import type { ResponseDate } from './response-date.ts'
import type { Snapshot } from './snapshot.ts'
import type { Streams } from './streams.ts'
import { UNREAD_HEAD, Waiting } from './waiting.ts'

/** What the pipeline is given: time, ids, and where the facts go. */
export interface PipelineParts {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly newId: () => string
  readonly date: ResponseDate
  /** A tunnel or a stream of events has begun. */
  readonly opened: StreamOpened
  /** Every exchange once, when it is over; must not throw. */
  readonly ended: (exchange: Exchange) => void
  /** A defect: the exception that ended an exchange with 500. */
  readonly defect: (exchange: Exchange, error: unknown) => void
}

const INTERNAL = failure('internal')

/**
 * The life of a request, in order: match, admit, forward, settle, record. Policies are asked in the route's order;
 * those that admitted are settled in reverse, exactly once, when the exchange is over.
 */
export class Pipeline implements RequestServer, ForwardSite {
  readonly date: ResponseDate
  readonly nowMs: () => number
  readonly opened: StreamOpened
  /** Takes the steps of every exchange; null unless they are logged. */
  trace: Trace | null = null
  /** Gives exchanges their part in a trace; null where none are made. */
  tracer: Tracer | null = null
  /** Null: no peer's forwarding fields are believed. */
  trusts: TrustsPeer | null = null
  streams: Streams | null = null
  /** Every response closes its connection from now on. */
  draining = false
  /** Exchanges under way, tunnels included. */
  active = 0
  /** Replaced whole by a reload; an exchange keeps the route it was matched to. */
  snapshot: Snapshot
  readonly #parts: PipelineParts
  readonly #onClosed: (connection: ServerConnection) => void

  constructor(snapshot: Snapshot, parts: PipelineParts, onClosed: (connection: ServerConnection) => void) {
    this.snapshot = snapshot
    this.date = parts.date
    this.nowMs = parts.nowMs
    this.opened = parts.opened
    this.#parts = parts
    this.#onClosed = onClosed
  }

  request(client: ServerConnection, head: Head): void {
    const startMs = this.nowMs()
    const route = this.snapshot.match(head)
    const origin = this.#peerOf(client).originOf(head)
    const requestId = requestIdOf(head, this.#parts.newId)
    const exchange = new Exchange(head, route, origin.clientIp, origin.scheme, requestId, startMs)
    this.active++
    this.tracer?.begin(exchange, origin.trusted ? 'trusted' : 'untrusted')
    this.trace?.(exchange, 'Request received', {
      method: head.method,
      path: head.path,
      client_ip: origin.clientIp,
    })
    this.#admit(exchange, head, client, origin)
  }

  #peerOf(client: ServerConnection): Peer {
    if (client.memo instanceof Peer) return client.memo
    const peer = new Peer(client.remoteAddress, this.trusts)
    client.memo = peer
    return peer
  }

  /** Asks the policies that have not been asked yet. */
  #admit(exchange: Exchange, head: Head, client: ServerConnection, origin: Origin): void {
    const { policies, target } = exchange.route
    try {
      while (exchange.admitted < policies.length) {
        const verdict = policies[exchange.admitted]?.admit(exchange) ?? null
        if (verdict instanceof Promise) {
          this.#wait(verdict, exchange, head, client, origin)
          return
        }
        if (verdict !== null) {
          this.#conclude(client, exchange, verdict)
          return
        }
        exchange.admitted++
      }
      if (target === null) throw new Error('a route without a target admitted')
      const forward = new Forward(exchange, head, client, target, origin, this)
      client.receiver = forward
      forward.start()
    } catch (error) {
      this.#fail(client, exchange, error)
    }
  }

  #wait(
    verdict: Promise<Verdict>,
    exchange: Exchange,
    head: Head,
    client: ServerConnection,
    origin: Origin,
  ): void {
    const waiting = new Waiting(() => {
      exchange.aborted = true
      this.finish(exchange)
    })
    client.receiver = waiting
    exchange.spans?.waits(exchange.route.policies[exchange.admitted]?.kind ?? '', this.nowMs())
    if (!client.requestDone) client.hold()
    verdict.then(
      (settled) => {
        if (waiting.isGone) return
        exchange.spans?.goesOn(this.nowMs())
        client.receiver = null
        if (settled !== null) this.#conclude(client, exchange, settled)
        else {
          exchange.admitted++
          this.#admit(exchange, head, client, origin)
        }
      },
      (error: unknown) => {
        if (!waiting.isGone) this.#fail(client, exchange, error)
      },
    )
  }

  #conclude(client: ServerConnection, exchange: Exchange, verdict: Failure | Answer): void {
    if (this.draining || !canDropRest(client, exchange.head)) client.closeAfter = true
    this.#reply(client, exchange, verdict)
  }

  /** A defect: caught here and nowhere else. */
  #fail(client: ServerConnection, exchange: Exchange, error: unknown): void {
    this.#parts.defect(exchange, error)
    if (exchange.over) return
    if (exchange.status !== 0) {
      client.abort('reset')
      return
    }
    client.closeAfter = true
    this.#reply(client, exchange, INTERNAL)
  }

  refuse(client: ServerConnection, exchange: Exchange, refusal: Failure): void {
    this.#conclude(client, exchange, refusal)
  }

  refuseBroken(client: ServerConnection, exchange: Exchange, error: ProtocolError): void {
    client.closeAfter = true
    this.#reply(client, exchange, brokenFailure(error))
  }

  broken(client: ServerConnection, error: ProtocolError): void {
    const exchange = new Exchange(
      UNREAD_HEAD,
      this.snapshot.unreadable,
      this.#peerOf(client).address,
      'http',
      this.#parts.newId(),
      this.nowMs(),
    )
    this.active++
    this.#reply(client, exchange, brokenFailure(error))
  }

  #reply(client: ServerConnection, exchange: Exchange, ending: Failure | Answer): void {
    const { method, minor } = exchange.head
    client.receiver = null
    reply(client, exchange, ending, { method, minor, nowMs: this.nowMs(), date: this.date })
    this.finish(exchange)
    client.responseEnd()
  }

  finish(exchange: Exchange): void {
    if (exchange.over) return
    exchange.over = true
    this.active--
    if (exchange.stream !== 'none') this.streams?.leave(exchange)
    const { policies } = exchange.route
    while (exchange.admitted > 0) policies[--exchange.admitted]?.settle?.(exchange)
    exchange.endedMs = this.nowMs()
    if (exchange.spans !== null) this.tracer?.end(exchange, exchange.spans)
    this.#parts.ended(exchange)
  }

  closed(client: ServerConnection): void {
    this.#onClosed(client)
  }
}
