/**
 * The demo services of `nyro dev`, for other containers: `node demo-upstreams.ts [INGEST QUERY AUTH]`, their ports, else
 * 8000, 8001 and 8002. The auth service signs, for whoever asks, with the HS256 secret in the file that
 * DEMO_JWT_SECRET_FILE names, else in /run/secrets/jwt_secret.
 */
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { ownIssuer } from '../../src/config/default.ts'
import { demoAuth } from '../../src/dev/demo-auth.ts'
import { demoIngest } from '../../src/dev/demo-ingest.ts'
import { demoQuery } from '../../src/dev/demo-query.ts'
import { tokenIssuer } from '../../src/dev/demo-token.ts'
import { systemClock } from '../../src/lib/clock.ts'

/** About the pace of reading. */
const TOKEN_INTERVAL_MS = 60

const secretFile = process.env['DEMO_JWT_SECRET_FILE'] ?? '/run/secrets/jwt_secret'
// As `${file:…}` of the gateway reads it.
const key = readFileSync(secretFile, 'utf8').replace(/\r?\n$/, '')
const issuers = [ownIssuer({ key, algorithm: 'HS256', clockSkewS: 0 })]
const issue = tokenIssuer({ issuers, apiKeys: null }, systemClock)

const [ingestPort = '8000', queryPort = '8001', authPort = '8002'] = process.argv.slice(2)
const services: readonly (readonly [string, RequestListener])[] = [
  [ingestPort, demoIngest],
  [queryPort, demoQuery(TOKEN_INTERVAL_MS)],
  [authPort, demoAuth(issue)],
]

const servers = services.map(([port, serve]) => createServer(serve).listen({ port, host: '0.0.0.0' }))

process.once('SIGTERM', () => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
})
