/** The gateway cannot start for a reason the operator can do something about; `message` is one line for them. */
export class StartRefusal extends Error {
  override readonly name = 'StartRefusal'
}

/** One line for a listener that could not be opened. `what` names it: `public`, `admin`. */
export function listenRefusal(
  what: string,
  host: string,
  port: number,
  error: NodeJS.ErrnoException,
): StartRefusal {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return new StartRefusal(`cannot listen on ${place} (${what} listener): ${reason(error)}`)
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'another process holds this port'
    case 'EACCES':
      return 'this user may not use this port'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be resolved'
    default:
      return error.code ?? error.message
  }
}
