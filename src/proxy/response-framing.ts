import type { Head } from '../http1/head.ts'
import type { ResponseFraming } from './response-head.ts'

/** How a response's body is framed for the client that sent `request` (RFC 9112 section 6). */
export function responseFraming(head: Head, request: Head): ResponseFraming {
  const canChunk = request.minor === 1
  if (!hasBody(head, request))
    return head.chunked && canChunk && request.method === 'HEAD' ? 'chunked' : 'as-is'
  if (head.contentLength >= 0) return 'as-is'
  return canChunk ? 'chunked' : 'close'
}

/** Whether a body follows the response's head, be it empty. */
export function hasBody(head: Head, request: Head): boolean {
  return request.method !== 'HEAD' && head.status !== 204 && head.status !== 304
}
