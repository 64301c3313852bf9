import type { ClientRequest } from 'node:http'
import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import type { UpstreamTlsConfig } from '../config/config.ts'
import type { LiveEndpoint } from '../upstreams/live-upstream.ts'
import { errorCode } from './error-code.ts'

/** Where a health check goes. */
export interface ProbeTarget {
  readonly endpoint: LiveEndpoint
  /** Base path included. */
  readonly path: string
  readonly tls: UpstreamTlsConfig | null
}

/**
 * Asks once whether an endpoint is healthy; `done` is told null, or in a word or two what was wrong. The returned
 * function gives up, and then nothing is told.
 */
export type Probe = (target: ProbeTarget, done: (fault: string | null) => void) => () => void

const require = createRequire(import.meta.url)

/** By node:http and node:https, loaded with the first probe: a gateway without health checks never pays for them. */
export const probeEndpoint: Probe = (target, done) => {
  let isOver = false
  let request: ClientRequest | null = null
  const giveUp = (): void => {
    isOver = true
    request?.destroy()
  }
  const end = (fault: string | null): void => {
    if (isOver) return
    giveUp()
    done(fault)
  }
  try {
    request = requestOf(target)
  } catch (error) {
    // What Node or OpenSSL will not send or use at all. Told later, as everything is.
    setImmediate(end, faultOf(error))
    return giveUp
  }
  request.on('response', ({ statusCode = 0 }) => {
    end(statusCode >= 200 && statusCode <= 399 ? null : `status ${statusCode}`)
  })
  request.on('error', (error) => end(faultOf(error)))
  return giveUp
}

function requestOf({ endpoint, path, tls }: ProbeTarget): ClientRequest {
  const { address, family, port, authority } = endpoint
  const options = {
    host: address,
    family,
    port,
    path,
    // One connection a probe: a kept one would tell of itself, not of what is listening.
    agent: false,
    headers: { Host: authority, 'User-Agent': 'nyro-gateway-health', Connection: 'close' },
  } as const
  return endpoint.tls
    ? (require('node:https') as typeof import('node:https')).get({ ...options, ...tlsOptions(endpoint, tls) })
    : (require('node:http') as typeof import('node:http')).get(options)
}

function faultOf(error: unknown): string {
  return errorCode(error) ?? (error instanceof Error ? error.message : String(error))
}

function tlsOptions({ host }: LiveEndpoint, tls: UpstreamTlsConfig | null): object {
  const name = tls?.serverName ?? host
  return {
    // An address must not be sent as server name (RFC 6066 section 3); it is verified all the same.
    servername: isIP(name) === 0 ? name : '',
    ...(tls?.ca == null ? {} : { ca: tls.ca }),
    ...(tls?.certificate == null ? {} : { cert: tls.certificate }),
    ...(tls?.key == null ? {} : { key: tls.key }),
  }
}
