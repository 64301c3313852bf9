import type { ResponseFault } from '../http1/client-connection.ts'
import type { ConnectionFault } from '../upstreams/connection-waiter.ts'
import { type Failure, failure, type Replay } from './failure.ts'

/** The closed list behind `Error communicating with upstream service: …`. */
const REASONS: Readonly<Record<Exclude<ResponseFault, 'timeout'>, string>> = {
  closed: 'connection closed before a response',
  reset: 'connection reset',
  malformed: 'malformed response',
  stray: 'response out of turn',
  unasked: 'unexpected protocol switch',
}

/** What can end an exchange with one upstream, made once: the texts name the upstream as configured, never its host. */
export interface UpstreamFailures {
  readonly unconnected: Readonly<Record<ConnectionFault, Failure>>
  readonly unanswered: Readonly<Record<ResponseFault, Failure>>
}

export function compileUpstreamFailures(name: string): UpstreamFailures {
  const unavailable = failure('connect_failed', { detail: `Upstream service ${name} is unavailable.` })
  const timeout = (replay: Replay): Failure =>
    failure('upstream_timeout', { detail: `Upstream service ${name} timed out.`, replay })
  const invalid = (fault: keyof typeof REASONS, replay: Replay): Failure =>
    failure('upstream_invalid', {
      detail: `Error communicating with upstream service: ${REASONS[fault]}`,
      replay,
    })
  return {
    unconnected: {
      unknown: unavailable,
      refused: unavailable,
      timeout: timeout('always'),
      saturated: failure('upstream_saturated', {
        detail: `Upstream service ${name} is at capacity.`,
        fields: 'Retry-After: 1\r\n',
      }),
      unavailable: failure('upstream_unavailable', {
        detail: `Upstream service ${name} has no endpoint in service.`,
        fields: 'Retry-After: 1\r\n',
      }),
    },
    unanswered: {
      closed: invalid('closed', 'idempotent'),
      reset: invalid('reset', 'idempotent'),
      malformed: invalid('malformed', 'never'),
      stray: invalid('stray', 'idempotent'),
      unasked: invalid('unasked', 'never'),
      timeout: timeout('never'),
    },
  }
}
