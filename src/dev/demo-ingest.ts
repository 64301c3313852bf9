import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { sendJson } from './demo-service.ts'

/** Of a body, how much is shown; the rest is only counted and hashed, so an upload may have any size. */
const PREVIEW_BYTES = 256

/** Takes any request and answers with what arrived: fields as the gateway stated them, the body's size and hash. */
export const demoIngest: RequestListener = (request, response) => {
  const hash = createHash('sha256')
  let bytes = 0
  let preview = Buffer.alloc(0)
  request.on('data', (chunk: Buffer) => {
    hash.update(chunk)
    bytes += chunk.length
    if (preview.length < PREVIEW_BYTES) {
      preview = Buffer.concat([preview, chunk.subarray(0, PREVIEW_BYTES - preview.length)])
    }
  })
  request.on('end', () => {
    sendJson(response, 200, {
      service: 'ingest',
      method: request.method,
      target: request.url,
      tenant: request.headers['x-company-id'] ?? null,
      body: { bytes, sha256: hash.digest('hex'), preview: preview.toString('utf8') },
      headers: shown(request.headers),
    })
  })
}

/** The token stays out of the answer: answers get pasted into chats and tickets. */
function shown(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return headers.authorization === undefined
    ? headers
    : { ...headers, authorization: '(received, not shown)' }
}
