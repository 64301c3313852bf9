import { errorCode } from './error-code.ts'

/** The gateway cannot start for a reason the operator can do something about; `message` is one line for them. */
export class StartRefusal extends Error {
  override readonly name = 'StartRefusal'
}

/** One line for a listener that could not be opened. `what` names it: `public`, `admin`. */
export function listenRefusal(what: string, host: string, port: number, error: unknown): StartRefusal {
  return refusal(what, host, port, reason(error))
}

/** The same, for a port that was free a moment ago. */
export function takenRefusal(what: string, host: string, port: number): StartRefusal {
  return refusal(what, host, port, TAKEN)
}

const TAKEN = 'another process holds this port'

function refusal(what: string, host: string, port: number, why: string): StartRefusal {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new StartRefusal(`cannot listen on ${place} (${what} listener): ${why}`)
}

function reason(error: unknown): string {
  const code = errorCode(error)
  switch (code) {
    case 'EADDRINUSE':
      return TAKEN
    case 'EACCES':
      return 'this user may not use this port'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be resolved'
    default:
      return code ?? String(error)
  }
}
