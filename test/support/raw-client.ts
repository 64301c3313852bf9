import { connect, type Socket } from 'node:net'
import { ByteSource, WireError } from './byte-source.ts'
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
import { within } from './until.ts'

/** A 1xx other than 101, which came before the response. */
export interface InterimHead {
  readonly status: number
  readonly fields: readonly Field[]
}

/** A response exactly as it came. A malformed one never becomes this: reading it throws a WireError. */
export class RawResponse {
  readonly statusLine: string
  readonly status: number
  readonly reason: string
  readonly fields: readonly Field[]
  readonly interim: readonly InterimHead[]
  readonly framing: Framing
  readonly body: Body

  constructor(
    statusLine: string,
    fields: readonly Field[],
    interim: readonly InterimHead[],
    framing: Framing,
    body: Body,
  ) {
    const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine)
    if (match === null) throw new WireError(`not a status line: ${JSON.stringify(statusLine)}`)
    this.statusLine = statusLine
    this.status = Number(match[1])
    this.reason = match[2] ?? ''
    this.fields = fields
    this.interim = interim
    this.framing = framing
    this.body = body
  }

  /** The only value of a field; null if absent, an error if repeated. */
  get(name: string): string | null {
    return onlyValue(this.fields, name)
  }

  all(name: string): string[] {
    return allValues(this.fields, name)
  }

  get text(): string {
    return this.body.bytes.toString('utf8')
  }

  /** The body parsed; `T` is what the test expects of it. */
  json<T>(): T {
    return JSON.parse(this.text) as T
  }
}

export interface ConnectOptions {
  readonly host?: string
  /** Source address; any of 127.0.0.0/8 works on Linux. */
  readonly localAddress?: string
  /** Longest any single read may take, milliseconds. Default 10 s. */
  readonly patienceMs?: number
  /** A socket to speak over instead of a new one (TLS). */
  readonly socket?: Socket
}

/** One client connection that sends exactly what it is told and reads exactly what comes. */
export class RawClient {
  readonly socket: Socket
  readonly source: ByteSource
  readonly #patienceMs: number

  constructor(socket: Socket, patienceMs = 10_000) {
    this.socket = socket
    this.source = new ByteSource(socket)
    this.#patienceMs = patienceMs
  }

  static async connect(port: number, options: ConnectOptions = {}): Promise<RawClient> {
    const { host = '127.0.0.1', localAddress } = options
    const socket = connect({
      port,
      host,
      allowHalfOpen: true,
      noDelay: true,
      ...(localAddress && { localAddress }),
    })
    const client = new RawClient(socket, options.patienceMs)
    await within(
      `connect to ${port}`,
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', reject)
      }),
    )
    return client
  }

  /** Sends bytes; strings are latin1. Resolves once the kernel took them. */
  async send(bytes: string | Buffer): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.write(bytes as string, 'latin1', () => resolve())
    })
  }

  /** Sends each piece in a segment of its own as far as the kernel lets us. */
  async sendPieces(pieces: readonly (string | Buffer)[]): Promise<void> {
    for (const piece of pieces) {
      await this.send(piece)
      await new Promise(setImmediate)
    }
  }

  /**
   * The next response; `method` is that of its request (HEAD has no body). Null when the server closed without one.
   * After a 101 whatever follows is left in `source`.
   */
  async tryRead(
    method = 'GET',
    onData?: (chunk: Buffer) => void | Promise<void>,
  ): Promise<RawResponse | null> {
    return within(`a response to ${method}`, this.#read(method, onData), this.#patienceMs)
  }

  async read(method = 'GET', onData?: (chunk: Buffer) => void | Promise<void>): Promise<RawResponse> {
    const response = await this.tryRead(method, onData)
    if (response === null)
      throw new WireError(`closed without a response (${this.source.error?.message ?? 'FIN'})`)
    return response
  }

  async ask(bytes: string | Buffer, method = 'GET'): Promise<RawResponse> {
    // Not awaited: a server may answer and close before it took all of it.
    void this.send(bytes)
    return this.read(method)
  }

  /** Waits for the server to close; gives what came before it did. */
  async closed(): Promise<Buffer> {
    return within('the server to close the connection', this.source.rest(), this.#patienceMs)
  }

  /** FIN: no more requests, answers are still read. */
  finish(): void {
    this.socket.end()
  }

  /** FIN and away, or RST where bytes were left unread. */
  leave(): void {
    this.socket.destroy()
  }

  reset(): void {
    this.socket.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  async #read(method: string, onData?: (chunk: Buffer) => void | Promise<void>): Promise<RawResponse | null> {
    const interim: InterimHead[] = []
    for (;;) {
      const text = await this.source.head()
      if (text === null) return null
      const { startLine, fields } = parseHead(text)
      const status = Number(startLine.slice(9, 12))
      if (status >= 100 && status < 200 && status !== 101) {
        interim.push({ status, fields })
        continue
      }
      const bodyless = method === 'HEAD' || status === 101 || status === 204 || status === 304
      const framing = bodyless ? ({ framing: 'none', length: 0 } as const) : framingOf(fields, 'close')
      const body = await readBody(this.source, framing, onData)
      return new RawResponse(startLine, fields, interim, framing.framing, body)
    }
  }
}

/** One request on a connection of its own. */
export async function askOnce(
  port: number,
  bytes: string | Buffer,
  method = 'GET',
  options: ConnectOptions = {},
): Promise<RawResponse> {
  const client = await RawClient.connect(port, options)
  try {
    return await client.ask(bytes, method)
  } finally {
    client.leave()
  }
}

/** A request's bytes; a body without a framing field of its own gets Content-Length. */
export function request(
  method: string,
  target: string,
  fields: readonly Field[] = [],
  body: string | Buffer | null = null,
): Buffer {
  const own = fields.map(([name]) => name.toLowerCase())
  let head = `${method} ${target} HTTP/1.1\r\n`
  if (!own.includes('host')) head += 'Host: gw.test\r\n'
  for (const [name, value] of fields) head += `${name}: ${value}\r\n`
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  if (bytes !== null && !own.includes('content-length') && !own.includes('transfer-encoding'))
    head += `Content-Length: ${bytes.length}\r\n`
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), ...(bytes === null ? [] : [bytes])])
}

/** A body in chunked coding, one chunk a part. */
export function chunked(parts: readonly (string | Buffer)[], trailers: readonly Field[] = []): Buffer {
  const pieces: Buffer[] = []
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part
    pieces.push(Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n'))
  }
  const lines = trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([...pieces, Buffer.from(`0\r\n${lines}\r\n`, 'latin1')])
}
