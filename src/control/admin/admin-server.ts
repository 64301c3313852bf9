import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AdminConfig } from '../../config/config.ts'
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
import { isLoopbackAddress, namesLoopback, TokenCheck } from './admin-guard.ts'
import { JWKS_PATH } from './jwks-resource.ts'
import { createServer } from './node-http.ts'

/** Few and quick requests of an operator and of probes. */
const HEAD_TIMEOUT_MS = 5_000
const REQUEST_TIMEOUT_MS = 10_000
/** A large config takes its time to be loaded and prepared. */
const ANSWER_TIMEOUT_MS = 60_000
const HEAD_MAX_BYTES = 8 * 1024
const BODY_MAX_BYTES = 64 * 1024
const MAX_CONNECTIONS = 64

/** Probes carry no credential, nor do upstreams that look for public keys. */
const OPEN_PATHS: readonly string[] = ['/live', '/ready', JWKS_PATH]

export interface AdminOptions {
  readonly admin: AdminConfig
  readonly product: Product
  readonly status: () => AdminStatus
  /** By path. */
  readonly resources: AdminResources
}

/** The operator listener. Not the data plane: node:http serves it, one request a connection. */
export class AdminServer {
  readonly #server: Server
  readonly #options: AdminOptions
  readonly #token: TokenCheck | null
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
    if (refusal !== null || READING.includes(request.method ?? '')) {
      request.resume()
      this.#send(request, response, refusal ?? this.#answer(request, ''))
      return
    }
    readBody(request, (body) => {
      this.#send(request, response, body === null ? adminProblem(413) : this.#answer(request, body))
    })
  }

  #send(
    request: IncomingMessage,
    response: ServerResponse,
    answer: AdminAnswer | Promise<AdminAnswer>,
  ): void {
    if (!(answer instanceof Promise)) {
      send(response, answer)
      return
    }
    request.socket.setTimeout(ANSWER_TIMEOUT_MS)
    void answer.then((settled) => send(response, settled))
  }

  /** What is refused whatever it asks for; null: nothing stands against it. */
  #refuse(request: IncomingMessage): AdminAnswer | null {
    const { headers, method = '' } = request
    // DNS rebinding: a page whose name resolves to loopback is same-origin here, but its browser sends that name as Host.
    if (this.#loopback && !namesLoopback(headers.host)) return adminProblem(421)
    const path = pathOf(request)
    if (this.#token !== null && !OPEN_PATHS.includes(path) && !this.#token.accepts(headers.authorization)) {
      return adminProblem(401, { 'WWW-Authenticate': 'Bearer' })
    }
    // Any page may have its visitor's browser send a simple POST to loopback; browsers say from where, programs do not.
    if (!READING.includes(method) && headers.origin !== undefined) return adminProblem(403)
    return null
  }

  #answer(request: IncomingMessage, body: string): AdminAnswer | Promise<AdminAnswer> {
    const { status, product, resources } = this.#options
    const { method = '', headers } = request
    return adminAnswer(method, pathOf(request), status(), product, resources, body, headers.accept)
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

function send(response: ServerResponse, { status, fields, body }: AdminAnswer): void {
  response.writeHead(status, {
    ...fields,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    // A kept connection would only delay the exit.
    Connection: 'close',
  })
  response.end(body)
}
