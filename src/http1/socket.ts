import net from 'node:net'
import tls from 'node:tls'

const READ_BUFFER_BYTES = 65_536

/**
 * All sockets of a thread read into this one buffer, and what is read is used up before the callback returns: no
 * buffer is allocated per read, worth a quarter of a relayed request's whole cost (bench/micro). Whoever keeps bytes
 * copies them.
 */
const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)

/** What a socket tells its connection. */
export interface SocketOwner {
  /** Bytes [0, end) of the thread's read buffer, valid during the call only. */
  readable(bytes: Buffer, end: number): void
  /** The peer shut down its writing side. */
  peerEnded(): void
  /** What was written has left for the kernel after a write had said it would take time. */
  drained(): void
  /** Everything written has left, the end of our side included. */
  flushed(): void
  /** The socket is gone; `error` is Node's code of the reason, null for an orderly end. */
  closed(error: string | null): void
}

/**
 * Takes over an accepted connection: a socket of ours over its handle, since `onread` can only be given at birth.
 * The server must have been made with `pauseOnConnect` and `allowHalfOpen`. The emptied original is destroyed at
 * once: it would count against server.close() for ever.
 */
export function adoptSocket(accepted: net.Socket, owner: SocketOwner): net.Socket {
  const handle = (accepted as unknown as { _handle: unknown })._handle // the one way to a socket's handle
  const socket = new net.Socket({
    handle,
    allowHalfOpen: true,
    onread: onread(owner),
  } as unknown as net.SocketConstructorOpts) // `handle` and `onread` here are not in the typings
  ;(accepted as unknown as { _handle: unknown })._handle = null
  accepted.destroy()
  listen(socket, owner)
  return socket
}

export interface DialOptions {
  readonly address: string
  readonly port: number
  /** The name to verify and to ask for; null for plain TCP. */
  readonly tlsName: string | null
  /** Whom to trust and what to show; null: the system's authorities, and nothing. */
  readonly security: tls.SecureContext | null
}

/** Reads PEM once for all connections; null members take the system's. Throws what OpenSSL says of it. */
export function securityOf(pem: {
  readonly ca: string | null
  readonly certificate: string | null
  readonly key: string | null
}): tls.SecureContext {
  const { ca, certificate, key } = pem
  return tls.createSecureContext({
    ...(ca === null ? {} : { ca }),
    ...(certificate === null || key === null ? {} : { cert: certificate, key }),
  })
}

/** Connects; `connected` is called once it may be written to (after the handshake, where there is one). */
export function dialSocket(options: DialOptions, owner: SocketOwner, connected: () => void): net.Socket {
  const { address, port, tlsName, security } = options
  const base = { host: address, port, allowHalfOpen: true, noDelay: true, onread: onread(owner) }
  if (tlsName === null) {
    const socket = net.connect(base)
    socket.once('connect', connected)
    listen(socket, owner)
    return socket
  }
  const secure = tls.connect({
    ...base,
    ALPNProtocols: ['http/1.1'],
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
    // An address has no SNI (RFC 6066 section 3) and is verified all the same.
    ...(net.isIP(tlsName) === 0 ? { servername: tlsName } : {}),
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(tlsName, certificate),
    ...(security === null ? {} : { secureContext: security }),
  } as tls.ConnectionOptions) // `onread` is not in the typings of TLS
  secure.once('secureConnect', connected)
  listen(secure, owner)
  return secure
}

/** Bytes libuv still holds for a write under way: moves while a slow reader makes progress. */
export function queuedBytes(socket: net.Socket): number {
  // Node's own idle timeout judges progress by this property; no public one tells.
  const handle = (socket as unknown as { _handle: { writeQueueSize?: number } | null })._handle
  return (handle?.writeQueueSize ?? 0) + socket.writableLength
}

function onread(owner: SocketOwner): net.OnReadOpts {
  return {
    buffer: readBuffer,
    callback(byteCount: number): boolean {
      owner.readable(readBuffer, byteCount)
      return true
    },
  }
}

function listen(socket: net.Socket, owner: SocketOwner): void {
  let failure: string | null = null
  socket.on('drain', () => owner.drained())
  socket.on('finish', () => owner.flushed())
  socket.on('end', () => owner.peerEnded())
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error.code ?? 'UNKNOWN'
  })
  socket.on('close', () => owner.closed(failure))
}
