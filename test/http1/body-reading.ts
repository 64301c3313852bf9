import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts'
import { protocolError } from '../../src/http1/protocol-error.ts'
import { fieldsOf, type Refusal } from './reading.ts'

/** What was understood of a chunked body. */
export interface BodyReading {
  readonly outcome: 'read'
  readonly length: number
  readonly payload: string
  readonly trailers: readonly (readonly [string, string])[]
}

export type BodyOutcome = BodyReading | Refusal | { readonly outcome: 'incomplete'; readonly payload: string }

/** What stands before and behind the bytes given: each of them would go on with some part of a body. */
const NEIGHBOURS = [0x0a, 0x30, 0x0d, 0x78]

const pooled = new ChunkedDecoder()

/** Decodes `bytes` as they would arrive if cut at the given offsets, each arrival in a buffer of its own. */
export function readChunked(bytes: Buffer, cuts: readonly number[] = []): BodyOutcome {
  pooled.reset()
  let payload = ''
  let taken = 0
  for (const arrived of [...cuts, bytes.length]) {
    const margin = 1 + (arrived % 5)
    const neighbour = NEIGHBOURS[(margin + bytes.length) % NEIGHBOURS.length]
    const buffer = Buffer.alloc(margin + arrived - taken + 3, neighbour)
    bytes.copy(buffer, margin, taken, arrived)
    const end = margin + arrived - taken
    const consumed = pooled.decode(buffer, margin, end)
    if (consumed < 0) return { outcome: 'refused', ...protocolError(consumed) }
    if (buffer.subarray(end).some((byte) => byte !== neighbour))
      throw new Error('wrote behind the bytes given')
    payload += buffer.toString('latin1', pooled.payloadStart, pooled.payloadEnd)
    if (pooled.done) {
      const { trailers } = pooled
      const length = taken + consumed - margin
      return { outcome: 'read', length, payload, trailers: trailers === null ? [] : fieldsOf(trailers) }
    }
    if (consumed !== end) throw new Error('left bytes of an unfinished body')
    taken = arrived
  }
  return { outcome: 'incomplete', payload }
}
