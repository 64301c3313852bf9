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
export const probeEndpoint: Probe = ({ endpoint, path, tls }, done) => {
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
  const request = endpoint.tls
    ? (require('node:https') as typeof import('node:https')).get({ ...options, ...tlsOptions(endpoint, tls) })
    : (require('node:http') as typeof import('node:http')).get(options)
  let isOver = false
  const end = (fault: string | null): void => {
    if (isOver) return
    isOver = true
    request.destroy()
    done(fault)
  }
  request.on('response', ({ statusCode = 0 }) => {
    end(statusCode >= 200 && statusCode <= 399 ? null : `status ${statusCode}`)
  })
  request.on('error', (error) => end(errorCode(error) ?? error.message))
  return () => {
    isOver = true
    request.destroy()
  }
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
