import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../lib/clock.ts'
import { sendJson } from './demo-service.ts'
import { DevIssuer } from './dev-issuer.ts'
import { readTokenOrder } from './dev-token-order.ts'

/** Where `nyro token mint` looks; another one is taken where it is in use. */
export const DEV_ISSUER_PORT = 9903

const HOST = '127.0.0.1'
const MAX_BODY_BYTES = 16_384

/** The issuer over HTTP, on the loopback interface alone: it gives a token to whoever asks. */
export class DevIssuerServer {
  readonly issuer: DevIssuer
  readonly #server: Server

  private constructor(server: Server, issuer: DevIssuer) {
    this.#server = server
    this.issuer = issuer
  }

  /** Of `ports` the first that is free. */
  static async start(
    clock: Clock,
    ports: readonly number[] = [DEV_ISSUER_PORT, 0],
  ): Promise<DevIssuerServer> {
    const server = createServer()
    await listenOn(server, ports)
    const { port } = server.address() as AddressInfo // an address and port: it listens on no pipe
    const starting = DevIssuer.create(`http://${HOST}:${port}`, clock).then(
      (issuer) => new DevIssuerServer(server, issuer),
    )
    // At once: keys take a while to make, and what is asked meanwhile would never be answered.
    server.on('request', (request, response) => {
      void starting.then((started) => started.#serve(request, response))
    })
    return starting
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    if (body === null) return refuse(response, 413, `more than ${MAX_BODY_BYTES} bytes`)
    // A page whose name resolves to loopback is same-origin here, but its browser sends that name, and whence it came.
    if (!namesLoopback(request.headers.host ?? '')) return refuse(response, 421, 'ask for 127.0.0.1')
    if (request.headers.origin !== undefined) return refuse(response, 403, 'pages get no tokens here')
    const { method = '', url = '' } = request
    switch (`${method} ${url.split('?', 1)[0]}`) {
      case 'GET /.well-known/openid-configuration':
        return sendJson(response, 200, this.issuer.document)
      case 'GET /jwks':
        return sendJson(response, 200, this.issuer.keySet)
      case 'POST /token':
        return this.#token(response, request.headers['content-type'] ?? '', body)
      case 'POST /rotate':
        return sendJson(response, 200, { signing: await this.issuer.rotate() })
      default:
        return refuse(response, 404, 'try POST /token, POST /rotate or GET /.well-known/openid-configuration')
    }
  }

  /** RFC 6749 sections 5.1 and 5.2. */
  async #token(response: ServerResponse, type: string, body: string): Promise<void> {
    const order = readTokenOrder(type, body)
    if (typeof order === 'string') return refuse(response, 400, order)
    const { token, claims } = await this.issuer.mint(order)
    response.setHeader('Cache-Control', 'no-store')
    sendJson(response, 200, {
      ...{ access_token: token, token_type: 'Bearer', expires_in: order.ttlS },
      ...(order.scope === '' ? {} : { scope: order.scope }),
      claims,
    })
  }
}

async function listenOn(server: Server, [port = 0, ...others]: readonly number[]): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: HOST, port, exclusive: true }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    if (others.length === 0) throw error
    await listenOn(server, others)
  }
}

function namesLoopback(host: string): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host)
}

function readBody(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let bytes = 0
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes <= MAX_BODY_BYTES) pieces.push(piece)
    })
    request.on('end', () => resolve(bytes > MAX_BODY_BYTES ? null : Buffer.concat(pieces).toString()))
  })
}

function refuse(response: ServerResponse, status: number, words: string): void {
  sendJson(response, status, { error: 'invalid_request', error_description: words })
}
