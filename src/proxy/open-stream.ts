import type { StreamsConfig } from '../config/config.ts'
import type { Exchange } from './exchange.ts'
import type { FailureCode } from './failure.ts'

/** An exchange that goes on after its response has begun for as long as somebody listens: a tunnel, a stream of events. */
export interface OpenStream {
  /** Breaks it off on both sides; the client cannot take what it got for a whole message. Once the exchange is over: nothing. */
  cut(code: FailureCode): void
}

/** Takes every stream that begins; `streams`: what its upstream says of streams. */
export type StreamOpened = (stream: OpenStream, exchange: Exchange, streams: StreamsConfig | null) => void
