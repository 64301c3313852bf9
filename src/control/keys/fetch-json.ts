import type { IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { parseJsonObject } from '../../jwt/json-object.ts'
import { errorCode } from '../error-code.ts'
import type { StartTimer } from '../start-timer.ts'

/** From the first byte asked for to the last one read. */
const TIME_LIMIT_MS = 10_000
const MAX_BYTES = 1 << 20

/** What a server gave, or why nothing came of it: one word or two for the operator, never what was sent. */
export type Fetched =
  | {
      readonly ok: true
      readonly value: object
      /** From Cache-Control; null where it says nothing. */
      readonly maxAgeMs: number | null
    }
  | FetchFault

export interface FetchFault {
  readonly ok: false
  readonly reason: string
}

/** Asks for a JSON object. Never rejects; a redirect is not followed. */
export type FetchJson = (url: string) => Promise<Fetched>

export function fetchFault(reason: string): FetchFault {
  return { ok: false, reason }
}

/** Over the network, a connection each: at most 1 MiB, within 10 s, to the system's trusted certificates or `ca` (PEM). */
export function jsonFetcher(startTimer: StartTimer, ca: string | null = null): FetchJson {
  return (url) =>
    new Promise((resolve) => {
      const request = startRequest(url, ca)
      const finish = (fetched: Fetched): void => {
        cancel()
        resolve(fetched)
        request.destroy()
      }
      const cancel = startTimer(TIME_LIMIT_MS, () => finish(fetchFault('took too long')))
      request.on('error', (error) => finish(fetchFault(errorCode(error) ?? 'connection failed')))
      request.on('response', (response: IncomingMessage) => read(response, finish))
      request.end()
    })
}

/** Loaded by the first fetch: where no keys are remote nobody pays for it. By `require`, as admin/node-http.ts says why. */
function startRequest(url: string, ca: string | null): import('node:http').ClientRequest {
  const require = createRequire(import.meta.url)
  const headers = { accept: 'application/json, application/jwk-set+json', 'user-agent': 'nyro-gateway' }
  if (url.startsWith('https:')) {
    const { request } = require('node:https') as typeof import('node:https')
    return request(url, { agent: false, headers, ...(ca === null ? {} : { ca }) })
  }
  const { request } = require('node:http') as typeof import('node:http')
  return request(url, { agent: false, headers })
}

function read(response: IncomingMessage, finish: (fetched: Fetched) => void): void {
  const { statusCode = 0 } = response
  response.on('error', (error) => finish(fetchFault(errorCode(error) ?? 'connection failed')))
  if (statusCode !== 200) {
    finish(fetchFault(`status ${statusCode}`))
    return
  }
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_BYTES) finish(fetchFault('larger than 1 MiB'))
    else chunks.push(chunk)
  })
  response.on('end', () => {
    const value = parseJsonObject(Buffer.concat(chunks))
    if (value === null) finish(fetchFault('no JSON object'))
    else finish({ ok: true, value, maxAgeMs: maxAgeMs(response.headers['cache-control']) })
  })
}

/** RFC 9111 section 5.2.2.1. What must not be stored is nevertheless kept as long as the operator says: else nothing could be verified. */
function maxAgeMs(cacheControl = ''): number | null {
  for (const directive of cacheControl.toLowerCase().split(',')) {
    const seconds = /^max-age="?(\d{1,10})"?$/.exec(directive.trim())?.[1]
    if (seconds !== undefined) return Number(seconds) * 1_000
  }
  return null
}
