import type { RetryCondition } from '../config/config.ts'
import type { ClientConnection, ResponseFault, ResponseReceiver } from '../http1/client-connection.ts'
import type { Head } from '../http1/head.ts'
import type { ProtocolError } from '../http1/protocol-error.ts'
import type { RequestReceiver, ServerConnection } from '../http1/server-connection.ts'
import type { Deadline, DeadlineOwner } from '../http1/timer-wheel.ts'
import type { ConnectionFault, ConnectionWaiter } from '../upstreams/connection-waiter.ts'
import type { Endpoint } from '../upstreams/endpoint.ts'
import { balanceKey } from './balance-key.ts'
import { isEventStream } from './event-stream.ts'
import type { Exchange } from './exchange.ts'
import { removeDeadline, startDeadline } from './exchange-deadline.ts'
import { type Failure, type FailureCode, failure, type Replay } from './failure.ts'
import type { ForwardSite } from './forward-site.ts'
import type { Origin } from './forwarded.ts'
import { isWorthKeeping, KeptBody } from './kept-body.ts'
import { asksWebSocket, maySendAgain, requestHead, requestTrailers } from './request-head.ts'
import { interimHead, responseTrailers, switchedHead } from './response-head.ts'
import { startResponse } from './response-start.ts'
import type { RouteChoice, RouteTarget } from './route.ts'
import { drawChoice } from './route-choice.ts'
import { admitsResponse } from './streams.ts'

/** A dead re-used connection says nothing about the next one; a second fresh one that dies says enough. */
const MAX_REPEATS = 1

const NONE: readonly Endpoint[] = []
const BODY_TOO_LARGE = failure('body_too_large')

/**
 * Carries one exchange between its two connections: takes a connection, sends the head, relays both bodies, tries again
 * where that is safe, and says how it ended. Callbacks, not promises: one object is all that a common exchange costs
 * (docs/life-of-a-request.md).
 */
export class Forward implements RequestReceiver, ResponseReceiver, ConnectionWaiter, DeadlineOwner {
  readonly #exchange: Exchange
  readonly #head: Head
  readonly #client: ServerConnection
  readonly #target: RouteTarget
  readonly #choice: RouteChoice
  readonly #origin: Origin
  readonly #site: ForwardSite
  #connection: ClientConnection | null = null
  #endpoint: Endpoint | null = null
  /** Endpoints that failed it: asked last. */
  #tried: readonly Endpoint[] = NONE
  #upgrade = false
  /** The response head is on its way to the client: nothing can be taken back. */
  #answered = false
  #tunnel = false
  /** An interim response came: another endpoint's final one would not belong to it. */
  #hinted = false
  /** Some of the body, or its end, was handed over: it cannot be had again, unless it was kept. */
  #bodySeen = false
  #kept: KeptBody | null = null
  /** Unseen ones, on a fresh connection. */
  #repeats = 0
  /** Tries after the first. */
  #retries = 0
  /** Of the whole exchange, where it has a limit. */
  #deadline: Deadline | null = null

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
    this.#target = target
    this.#choice = exchange.choice ?? drawChoice(exchange, target)
    this.#origin = origin
    this.#site = site
  }

  start(): void {
    const { totalMs } = this.#target.limits
    const { upstream } = this.#choice
    this.#upgrade = asksWebSocket(this.#head)
    if (this.#upgrade && this.#site.streams?.enter(this.#exchange) === false) {
      this.#refuse(this.#choice.failures.unconnected.saturated)
      return
    }
    this.#deadline = startDeadline(this, upstream.wheel, totalMs ?? upstream.config.timeouts.totalMs)
    if (upstream.config.retry.attempts > 0) {
      upstream.countFirst()
      if (!this.#client.requestDone && isWorthKeeping(this.#head, upstream.config.retry)) {
        this.#kept = new KeptBody()
      }
    }
    this.#take('any')
  }

  // ── a connection ──────────────────────────────────────────────────────────────────────────────────────────

  connected(connection: ClientConnection, endpoint: Endpoint): void {
    const { upstream, plan } = this.#choice
    const { timeouts } = upstream.config
    const { headMs, idleMs } = this.#target.limits
    const { authority, target } = endpoint.live
    this.#connection = connection
    this.#endpoint = endpoint
    this.#exchange.endpoint = target
    if (this.#exchange.attempts++ === 0) this.#exchange.forwardedMs = this.#site.nowMs()
    this.#site.trace?.(this.#exchange, 'Proxying request', { method: this.#head.method, target })
    const kind = this.#upgrade ? 'upgrade' : 'plain'
    connection.begin(this, this.#head.method, kind, headMs ?? timeouts.headMs, idleMs ?? timeouts.idleMs)
    connection.writer.begin(
      requestHead(this.#head, this.#exchange, plan, this.#origin, authority, kind),
      this.#head.chunked ? 'chunked' : 'plain',
    )
    if (!this.#client.requestDone) this.#client.release()
    else {
      if (this.#bodySeen) this.#kept?.replay(connection.writer)
      connection.requestEnd()
    }
  }

  notConnected(fault: ConnectionFault, endpoint: Endpoint | null): void {
    if (endpoint !== null) {
      this.#exchange.endpoint = endpoint.live.target
      this.#tried = [...this.#tried, endpoint]
    }
    this.#exchange.spans?.fails(fault, endpoint?.live.target ?? null)
    const ending = this.#choice.failures.unconnected[fault]
    const isDialFault = fault === 'refused' || fault === 'timeout'
    if (isDialFault && this.#mayRetry('connect', ending.replay)) this.#retry(fault)
    else this.#refuse(ending)
  }

  #take(need: 'any' | 'fresh'): void {
    const { upstream } = this.#choice
    if (!this.#client.requestDone) this.#client.hold()
    const { spans } = this.#exchange
    if (spans !== null) this.#exchange.traceLines = spans.attempts(upstream.name, this.#site.nowMs())
    upstream.take(this, need, balanceKey(upstream.config.balance, this.#exchange), this.#tried)
  }

  // ── the request's body ────────────────────────────────────────────────────────────────────────────────────

  body(bytes: Buffer, start: number, end: number): void {
    this.#exchange.bytesIn += end - start
    this.#bodySeen = true
    if (this.#exchange.bytesIn > this.#target.limits.maxBodyBytes) {
      if (!this.#answered) this.#client.closeAfter = true
      this.#endWith(BODY_TOO_LARGE)
      return
    }
    this.#kept?.keep(bytes, start, end)
    this.#connection?.writer.body(bytes, start, end)
  }

  bodyEnd(trailers: Head | null): void {
    this.#bodySeen = true
    const lines = requestTrailers(trailers, this.#choice.plan)
    this.#kept?.end(lines)
    const connection = this.#connection
    if (connection === null) return
    connection.writer.end(lines)
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
    this.#hinted = true
    if (this.#head.minor === 1)
      this.#client.writer.begin(interimHead(head, this.#exchange.route.response), 'plain')
  }

  response(head: Head): void {
    if (this.#isPassedOver(head)) return
    const nowMs = this.#site.nowMs()
    if (!admitsResponse(this.#site.streams, this.#exchange, head, this.#head, nowMs)) {
      this.#exchange.spans?.responds(head.status)
      this.#refuse(this.#choice.failures.unconnected.saturated)
      return
    }
    this.#answered = true
    this.#exchange.status = head.status
    this.#exchange.respondedMs = nowMs
    this.#site.trace?.(this.#exchange, 'Received response from upstream', { upstream_status: head.status })
    startResponse(this.#client, this.#exchange, this.#head, head, nowMs, this.#site)
    if (isEventStream(head)) this.#becomeStream()
  }

  /** Says how the endpoint did, and whether another is asked instead of giving the client this. */
  #isPassedOver(head: Head): boolean {
    const { status } = head
    if (status === 502 || status === 503 || status === 504) this.#endpoint?.failed(this)
    else this.#endpoint?.succeeded(this)
    if (status < 400 || !this.#client.requestDone || !this.#mayRetry(status, 'idempotent')) return false
    this.#exchange.spans?.responds(status)
    this.#connection?.discard()
    this.#connection = null
    this.#leaveTried()
    this.#retry(`status ${status}`)
    return true
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
    this.#leaveUpstream()
    this.#client.writer.end(responseTrailers(trailers, this.#exchange.route.response))
    this.#site.finish(this.#exchange)
    this.#client.responseEnd()
  }

  responseFailed(fault: ResponseFault): void {
    this.#exchange.spans?.fails(fault, null)
    const isReused = (this.#connection?.uses ?? 0) > 1
    this.#connection = null
    if (this.#tunnel) {
      this.#leaveUpstream()
      this.#site.finish(this.#exchange)
      this.#client.close()
      return
    }
    if (this.#answered) {
      this.#endpoint?.failed(this)
      this.cut(fault === 'timeout' ? 'upstream_timeout' : 'upstream_invalid')
      return
    }
    const ending = this.#choice.failures.unanswered[fault]
    if (isReused && this.#repeats < MAX_REPEATS && this.#isRepeatable(ending.replay)) {
      // The connection was dead already, most likely: that says nothing of the endpoint.
      this.#repeats++
      this.#leaveTried()
      this.#site.trace?.(this.#exchange, 'Repeating request on a fresh connection', { fault })
      this.#take('fresh')
      return
    }
    this.#endpoint?.failed(this)
    this.#leaveTried()
    if (ending.replay === 'idempotent' && this.#mayRetry('reset', ending.replay)) this.#retry(fault)
    else this.#refuse(ending)
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
    this.#exchange.spans?.responds(101)
    this.#endpoint?.succeeded(this)
    this.#becomeStream()
    this.#site.streams?.begin(this.#exchange)
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

  // ── another try ───────────────────────────────────────────────────────────────────────────────────────────

  #retry(reason: string): void {
    this.#retries++
    this.#site.trace?.(this.#exchange, 'Trying again', { reason, retry: this.#retries })
    this.#take('any')
  }

  /** Asked last: it takes the retry from the budget. */
  #mayRetry(condition: RetryCondition, replay: Replay): boolean {
    const { upstream } = this.#choice
    const { attempts, on } = upstream.config.retry
    if (this.#retries >= attempts || !on.includes(condition)) return false
    return this.#isRepeatable(replay) && upstream.tryRetry()
  }

  /** Never a request of which a byte may have been acted on, unless acting twice is the same as acting once. */
  #isRepeatable(replay: Replay): boolean {
    if (this.#hinted || (this.#bodySeen && this.#kept?.isWhole !== true)) return false
    return maySendAgain(this.#head.method, replay)
  }

  // ── endings ───────────────────────────────────────────────────────────────────────────────────────────────

  /** The exchange takes longer than it may. */
  expire(): void {
    if (this.#client.requestDone) this.#endpoint?.failed(this)
    this.#endWith(this.#choice.failures.unanswered.timeout)
  }

  /** As OpenStream says, and for whatever else ends a response that has begun. */
  cut(code: FailureCode): void {
    if (this.#exchange.over) return
    this.#exchange.code = code
    this.#breakClient()
  }

  #refuse(ending: Failure): void {
    this.#leaveUpstream()
    this.#site.refuse(this.#client, this.#exchange, ending)
  }

  /** Refuses, or breaks off the response that is on its way. */
  #endWith(ending: Failure): void {
    if (this.#answered) this.cut(ending.code)
    else this.#refuse(ending)
  }

  /** The client must not take what it got for a whole message. */
  #breakClient(): void {
    this.#leaveUpstream()
    this.#client.writer.flush()
    this.#client.receiver = null
    this.#site.finish(this.#exchange)
    this.#client.abort(this.#head.minor === 0 ? 'reset' : 'close')
  }

  /** For good; a connection whose response has not ended is given up. */
  #leaveUpstream(): void {
    const connection = this.#connection
    const endpoint = this.#endpoint
    this.#connection = null
    this.#endpoint = null
    this.#deadline = removeDeadline(this.#deadline, this.#choice.upstream.wheel)
    this.#kept?.release()
    connection?.abandon()
    if (endpoint === null) this.#choice.upstream.cancel(this)
    else endpoint.leave(this)
  }

  /** For another endpoint, if there is one. */
  #leaveTried(): void {
    if (this.#endpoint === null) return
    this.#endpoint.leave(this)
    this.#tried = [...this.#tried, this.#endpoint]
    this.#endpoint = null
  }

  /** It ends when somebody leaves, or may no longer stay; not in time. */
  #becomeStream(): void {
    const { upstream } = this.#choice
    this.#deadline = removeDeadline(this.#deadline, upstream.wheel)
    this.#site.opened(this, this.#exchange, upstream.config.streams)
  }
}
