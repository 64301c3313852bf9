import { createServer as createPlainServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { ByteSource } from './byte-source.ts'
import {
  allValues,
  type Body,
  type Field,
  type Framing,
  framingOf,
  onlyValue,
  parseHead,
  readBody,
} from './message.ts'
import { until } from './until.ts'

/** A request exactly as the upstream received it. */
export interface Seen {
  /** 1 for the first connection this origin accepted. */
  readonly connection: number
  /** 1 for the first request on its connection. */
  readonly sequence: number
  readonly method: string
  readonly target: string
  readonly version: string
  readonly fields: readonly Field[]
  /** The head as received, without its last empty line. */
  readonly text: string
  readonly framing: Framing
  /** Settles with the body; `complete` is false there if the connection ended before it did. */
  readonly body: Promise<Body>
  get(name: string): string | null
  all(name: string): string[]
}

/** Answers one request by writing raw bytes. The next one is read once this settles and the body is in. */
export type Script = (seen: Seen, reply: Reply) => void | Promise<void>

/** The upstream's end of one connection. */
export class Reply {
  readonly socket: Socket
  readonly source: ByteSource
  /** Settles when the gateway ended the connection, or the script did. */
  readonly gone: Promise<void>
  taken = false

  constructor(socket: Socket, source: ByteSource) {
    this.socket = socket
    this.source = source
    this.gone = new Promise((resolve) => {
      socket.once('end', () => {
        if (!this.taken) socket.end()
        resolve()
      })
      socket.once('close', () => resolve())
    })
  }

  /** Strings are latin1. */
  async write(bytes: string | Buffer): Promise<void> {
    await new Promise<void>((resolve) => void this.socket.write(bytes as string, 'latin1', () => resolve()))
  }

  end(bytes: string | Buffer = ''): void {
    this.socket.end(bytes as string, 'latin1')
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** From here on the connection is the script's: no request is read from it any more. */
  take(): ByteSource {
    this.taken = true
    return this.source
  }
}

export interface OriginOptions {
  /** PEM; speaks TLS when given. */
  readonly tls?: {
    readonly key: string
    readonly cert: string
    /** Whoever connects must show a certificate of this authority. */
    readonly ca?: string
    readonly requestCert?: boolean
  }
  /** Take connections but read nothing from them. */
  readonly deaf?: 'deaf'
  /** Default: a free one. */
  readonly port?: number
}

/** An upstream on a free loopback port that records what it saw and answers by script. */
export class Origin {
  script: Script
  readonly seen: Seen[] = []
  /** Everything it was sent that was not well-formed HTTP/1.1. */
  readonly violations: string[] = []
  accepted = 0
  readonly #open = new Set<Socket>()
  readonly #server: Server
  readonly #secure: string

  private constructor(script: Script, options: OriginOptions) {
    this.script = script
    const accept = (socket: Socket): void => {
      this.accepted += 1
      socket.on('error', () => {})
      if (options.deaf === undefined) void this.#serve(socket, this.accepted)
    }
    this.#secure = options.tls === undefined ? '' : 's'
    this.#server =
      options.tls === undefined
        ? createPlainServer({ allowHalfOpen: true, noDelay: true }, accept)
        : createTlsServer({ ...options.tls, allowHalfOpen: true }, accept)
    this.#server.on('tlsClientError', () => {})
    // Before any handshake: a TLS server keeps quiet about those that fail.
    this.#server.on('connection', (socket: Socket) => {
      this.#open.add(socket)
      socket.on('close', () => this.#open.delete(socket))
      socket.on('error', () => {})
    })
  }

  static async start(script: Script = echo, options: OriginOptions = {}): Promise<Origin> {
    const origin = new Origin(script, options)
    await new Promise<void>(
      (resolve) => void origin.#server.listen(options.port ?? 0, '127.0.0.1', () => resolve()),
    )
    return origin
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the origin is closed')
    return address.port
  }

  get url(): string {
    return `http${this.#secure}://127.0.0.1:${this.port}`
  }

  /** Connections open right now. */
  get open(): number {
    return this.#open.size
  }

  /** The newest request. */
  get last(): Seen {
    const seen = this.seen.at(-1)
    if (seen === undefined) throw new Error('the upstream saw no request')
    return seen
  }

  /** The first request from `from` on whose target ends so, waited for. */
  async sees(targetEnd: string, from = 0): Promise<Seen> {
    return until(`the upstream to see …${targetEnd}`, () =>
      this.seen.slice(from).find((seen) => seen.target.endsWith(targetEnd)),
    )
  }

  /** Ends every open connection, as a restarting service does. */
  dropConnections(): void {
    for (const socket of this.#open) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dropConnections()
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()))
  }

  async #serve(socket: Socket, connection: number): Promise<void> {
    const source = new ByteSource(socket)
    const reply = new Reply(socket, source)
    try {
      for (let sequence = 1; !reply.taken; sequence++) {
        const text = await source.head()
        if (text === null) break
        const seen = readRequest(text, source, connection, sequence)
        this.seen.push(seen)
        // A socket reports the end of its peer only to a reader.
        void seen.body.then(() => source.more()).catch(() => {})
        await Promise.all([this.script(seen, reply), reply.taken ? null : seen.body])
        if (allValues(seen.fields, 'connection').join().toLowerCase().includes('close')) break
      }
    } catch (error) {
      this.violations.push(String(error))
    }
    if (!reply.taken) socket.end()
  }
}

function readRequest(text: string, source: ByteSource, connection: number, sequence: number): Seen {
  const { startLine, fields } = parseHead(text)
  const match = /^(\S+) (\S+) (HTTP\/1\.[01])$/.exec(startLine)
  if (match === null) throw new Error(`not a request line: ${JSON.stringify(startLine)}`)
  const framing = framingOf(fields, 'none')
  const upgrading = onlyValue(fields, 'upgrade') !== null
  const body = readBody(source, upgrading ? { framing: 'none', length: 0 } : framing)
  body.catch(() => {})
  return {
    connection,
    sequence,
    method: match[1] ?? '',
    target: match[2] ?? '',
    version: match[3] ?? '',
    fields,
    text,
    framing: framing.framing,
    body,
    get: (name) => onlyValue(fields, name),
    all: (name) => allValues(fields, name),
  }
}

/** A response's bytes with Content-Length; nothing is added but that. */
export function response(status: string, fields: readonly Field[] = [], body: string | Buffer = ''): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const head = `HTTP/1.1 ${status}\r\n${lines}Content-Length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}

/** What `echo` tells its client about the request it saw. */
export interface Told {
  readonly method: string
  readonly target: string
  readonly fields: readonly Field[]
  readonly length: number
  readonly sha256: string
}

/** Answers 200 with what it saw, once the whole body is in. */
export async function echo(seen: Seen, reply: Reply): Promise<void> {
  const body = await seen.body
  if (!body.complete) return
  const { method, target, fields } = seen
  const told: Told = { method, target, fields, length: body.length, sha256: body.sha256 }
  const bytes = response('200 OK', [['Content-Type', 'application/json']], JSON.stringify(told))
  const headLength = bytes.indexOf('\r\n\r\n') + 4
  await reply.write(method === 'HEAD' ? bytes.subarray(0, headLength) : bytes)
}
