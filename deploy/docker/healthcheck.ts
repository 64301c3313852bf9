/**
 * The image's HEALTHCHECK: exits 0 if the gateway lives, 1 if it does not say so within two seconds. Asks the operator
 * listener, at GATEWAY_ADMIN_HOST and GATEWAY_ADMIN_PORT: where a configuration file moves it, set these as well.
 */
import { get } from 'node:http'

const DEADLINE_MS = 2_000

const { GATEWAY_ADMIN_HOST: listenHost = '', GATEWAY_ADMIN_PORT: port = '' } = process.env

const request = get(
  { host: hostToAsk(listenHost), port: port === '' ? 9901 : port, path: '/live', timeout: DEADLINE_MS },
  (response) => process.exit(response.statusCode === 200 ? 0 : 1),
)
request.on('timeout', () => process.exit(1))
request.on('error', () => process.exit(1))

/** A listener of every address has that of loopback too. */
function hostToAsk(host: string): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
