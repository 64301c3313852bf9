import type { Head } from '../http1/head.ts'
import { isEventStream } from './event-stream.ts'
import type { Exchange } from './exchange.ts'
import { hasBody } from './response-framing.ts'

/** Exchanges that go on without keeping their upstream busy: tunnels, event streams, responses that are open for long. */
export interface Streams {
  /** Takes a place among the streams of the upstream it goes to; false: all are taken. Again is the same as once. */
  enter(exchange: Exchange): boolean
  /** It is a stream from now on, and gives back the place it had as an exchange. */
  begin(exchange: Exchange): void
  /** Its response has begun: it is a stream if that goes on for long. */
  watch(exchange: Exchange): void
  /** It is over. */
  leave(exchange: Exchange): void
}

/**
 * Counts a response that is about to go to its client, where its upstream counts streams or exchanges; false: it is one
 * stream too many. `nowMs`: on the exchange's clock.
 */
export function admitsResponse(
  streams: Streams | null,
  exchange: Exchange,
  head: Head,
  request: Head,
  nowMs: number,
): boolean {
  const limits = exchange.choice?.upstream.config
  if (streams === null || limits === undefined || (limits.admission === null && limits.streams === null))
    return true
  if (!hasBody(head, request)) return true
  if (isEventStream(head)) {
    if (!streams.enter(exchange)) return false
    streams.begin(exchange)
    return true
  }
  exchange.respondedMs = nowMs
  streams.watch(exchange)
  return true
}
