export interface UpstreamUrl {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** For Host: the port only where it is not the scheme's own. */
  readonly authority: string
  /** Always with the port. */
  readonly target: string
  /** Empty, or `/base` without a slash at its end. */
  readonly basePath: string
}

/** The parts of an upstream's URL, which the config has validated. */
export function upstreamUrl(text: string): UpstreamUrl {
  const url = new URL(text)
  const tls = url.protocol === 'https:'
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port)
  const basePath = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname
  return { host, port, tls, authority: url.host, target: `${url.hostname}:${port}`, basePath }
}
