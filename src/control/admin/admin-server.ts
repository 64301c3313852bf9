import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AdminConfig } from '../../config/config.ts'
import type { EventStreams } from '../live/event-streams.ts'
import { listenRefusal } from '../start-refusal.ts'
import {
  type AdminAnswer,
  type AdminResources,
  type AdminStatus,
  adminAnswer,
  adminProblem,
  type Product,
  READING,
} from './admin-answer.ts'
import { isLoopbackAddress, isOwnOrigin, namesLoopback, saysJson, TokenCheck } from './admin-guard.ts'
import { JWKS_PATH } from './jwks-resource.ts'
import { createServer } from './node-http.ts'
import type { PageFiles } from './page-files.ts'
import { UnreadAnswers } from './unread-answers.ts'

/** Few and quick requests of an operator and of probes. */
const HEAD_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000
/** A large config takes its time to be loaded and prepared. */
const ANSWER_TIMEOUT_MS = 60_000
const HEAD_MAX_BYTES = 8 * 1024
const BODY_MAX_BYTES = 64 * 1024
/** More than there can be event streams: probes find room beside them. */
const MAX_CONNECTIONS = 128

/** Probes carry no credential, nor do upstreams that look for public keys. */
const OPEN_PATHS: readonly string[] = ['/live', '/ready', JWKS_PATH]

export interface AdminOptions {
  readonly admin: AdminConfig
  readonly product: Product
  readonly status: () => AdminStatus
  /** By path. */
  readonly resources: AdminResources
  /** What answers `/events` with a stream; null: there is none. */
  readonly events?: Pick<EventStreams, 'open'> | null
  /** The live page's files by path, open to all: they hold nothing of this process. */
  readonly page?: PageFiles | null
}

/** The operator listener. Not the data plane: node:http serves it, one request a connection. */
export class AdminServer {
  readonly #server: Server
  readonly #options: AdminOptions
  readonly #token: TokenCheck | null
  readonly #unread = new UnreadAnswers()
  #loopback = false

  private constructor(options: AdminOptions) {
    const { token } = options.admin
    this.#options = options
    this.#token = token === null ? null : new TokenCheck(token)
    this.#server = createServer(
      {
        headersTimeout: HEAD_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: HEAD_TIMEOUT_MS,
        maxHeaderSize: HEAD_MAX_BYTES,
      },
      (request, response) => this.#serve(request, response),
    )
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.setTimeout(REQUEST_TIMEOUT_MS)
  }

  /** Rejects with StartRefusal if the port cannot be had. */
  static async listen(options: AdminOptions): Promise<AdminServer> {
    const { host, port } = options.admin
    const admin = new AdminServer(options)
    try {
      await admin.#listen(host, port)
    } catch (error) {
      throw listenRefusal('admin', host, port, error)
    }
    return admin
  }

  get port(): number {
    const address = this.#server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  /** Ends at once whatever is left. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        this.#loopback = address !== null && typeof address === 'object' && isLoopbackAddress(address.address)
        resolve()
      })
    })
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refuse(request)
    if (refusal === null && request.method === 'GET' && pathOf(request) === '/events') {
      if (this.#stream(request, response)) return
    }
    if (refusal !== null || READING.includes(request.method ?? '')) {
      request.resume()
      this.#send(request, response, refusal ?? this.#answer(request, ''))
      return
    }
    readBody(request, (body) => {
      this.#send(request, response, body === null ? adminProblem(413) : this.#answer(request, body))
    })
  }

  /** False: there is no stream to be had, and the request is answered like any other. */
  #stream(request: IncomingMessage, response: ServerResponse): boolean {
    const { events = null } = this.#options
    if (events === null) return false
    request.resume()
    request.socket.setTimeout(0)
    if (!events.open(response)) send(this.#unread, response, adminProblem(503, { 'Retry-After': '5' }))
    return true
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    answer: AdminAnswer | Promise<AdminAnswer>,
  ): void {
    if (!(answer instanceof Promise)) {
      send(this.#unread, response, answer)
      return
    }
    request.socket.setTimeout(ANSWER_TIMEOUT_MS)
    void answer.then((settled) => send(this.#unread, response, settled))
  }

  /** What is refused whatever it asks for; null: nothing stands against it. */
  #refuse(request: IncomingMessage): AdminAnswer | null {
    const { headers, method = '' } = request
    // DNS rebinding: a page whose name resolves to loopback is same-origin here, but its browser sends that name as Host.
    if (this.#loopback && !namesLoopback(headers.host)) return adminProblem(421)
    const path = pathOf(request)
    if (this.#token !== null && !this.#isOpen(path) && !this.#token.accepts(headers.authorization)) {
      return adminProblem(401, { 'WWW-Authenticate': 'Bearer' })
    }
    // Any page may have its visitor's browser send a simple POST to loopback; browsers say from where, programs do not.
    if (READING.includes(method)) return null
    if (headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host)) return adminProblem(403)
    if (!saysJson(headers)) return adminProblem(415, {}, { detail: 'The body must be application/json.' })
    return null
  }

  #isOpen(path: string): boolean {
    return OPEN_PATHS.includes(path) || (this.#options.page?.has(path) ?? false)
  }

  #answer(request: IncomingMessage, body: string): AdminAnswer | Promise<AdminAnswer> {
    const { status, product, resources, page = null } = this.#options
    const { method = '', headers } = request
    const path = pathOf(request)
    if (page?.has(path) && READING.includes(method)) return page.answer(path)
    return adminAnswer(method, path, status(), product, resources, body, headers.accept)
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? ''
}

/** Null: it is larger than any request to this listener has reason to be. */
function readBody(request: IncomingMessage, take: (body: string | null) => void): void {
  const pieces: Buffer[] = []
  let size = 0
  request.on('data', (piece: Buffer) => {
    size += piece.length
    if (size <= BODY_MAX_BYTES) pieces.push(piece)
  })
  request.on('end', () => take(size > BODY_MAX_BYTES ? null : Buffer.concat(pieces).toString()))
}

function send(unread: UnreadAnswers, response: ServerResponse, { status, fields, body }: AdminAnswer): void {
  // Whoever asked may have left while the answer was made.
  if (response.destroyed) return
  const bytes = Buffer.from(body)
  unread.add(response, bytes.length)
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...fields,
    'Content-Length': bytes.length,
    // A kept connection would only delay the exit.
    Connection: 'close',
  })
  response.end(bytes)
}
