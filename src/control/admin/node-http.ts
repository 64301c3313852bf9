import { createRequire } from 'node:module'

/**
 * node:http by `require`: an `import` reads every export at once, among them the getters that load the whole of
 * undici for WebSocket: 15 MiB and 45 ms of every start.
 */
export const { createServer, STATUS_CODES } = createRequire(import.meta.url)(
  'node:http',
) as typeof import('node:http')
