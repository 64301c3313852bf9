import type { ProtocolError } from '../http1/protocol-error.ts'
import type { ServerConnection } from '../http1/server-connection.ts'
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'
import type { StreamOpened } from './open-stream.ts'
import type { ResponseDate } from './response-date.ts'
import type { Streams } from './streams.ts'

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
  /** A tunnel or a stream of events has begun. */
  readonly opened: StreamOpened
  /** Null: nothing is counted. */
  readonly streams: Streams | null
  nowMs(): number
  /** The gateway answers in the upstream's stead; nothing was sent to the client yet. */
  refuse(client: ServerConnection, exchange: Exchange, failure: Failure): void
  refuseBroken(client: ServerConnection, exchange: Exchange, error: ProtocolError): void
  /** The exchange is over, however it ended. */
  finish(exchange: Exchange): void
}
