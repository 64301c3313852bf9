import { readChunked } from './body-reading.ts'
import { readHead } from './reading.ts'

/** What the bytes of a connection were understood to be, request after request. */
export interface StreamReading {
  /** Requests read whole. */
  readonly requests: number
  /** Why reading stopped: all bytes used at the end of a request, in the middle of one, or refused. */
  readonly end: 'complete' | 'waiting' | 'closed' | 'upgraded' | 'malformed' | string
}

/** Reads requests and their bodies off `bytes` as a server does: one after the other, until one is the last. */
export function readStream(bytes: Buffer): StreamReading {
  let requests = 0
  let at = 0
  while (at < bytes.length) {
    const head = readHead('request', bytes.subarray(at))
    if (head.outcome === 'incomplete') return { requests, end: isLead(bytes, at) ? 'complete' : 'waiting' }
    if (head.outcome === 'refused') return { requests, end: head.code }
    at += head.length
    if (head.chunked) {
      const body = readChunked(bytes.subarray(at))
      if (body.outcome === 'refused') return { requests, end: body.code }
      if (body.outcome === 'incomplete') return { requests, end: 'waiting' }
      at += body.length
    } else if (head.contentLength > bytes.length - at) return { requests, end: 'waiting' }
    else at += Math.max(head.contentLength, 0)
    requests++
    if (head.upgrade) return { requests, end: 'upgraded' }
    if (!head.keepAlive) return { requests, end: 'closed' }
  }
  return { requests, end: 'complete' }
}

/** An empty line behind a request is no start of another. */
function isLead(bytes: Buffer, at: number): boolean {
  return /^(\r\n)*\r?$/.test(bytes.toString('latin1', at))
}
