import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { createLineWriter } from './access-line.ts'
import { createTokenCheck } from './verify-token.ts'

/** The fastest pair of Node's own parts, node:http in and undici's Pool.dispatch out, doing the common job. */
const { PEER_PORT = '0', QUERY_PORT = '0', JWT_SECRET = '' } = process.env
const check = createTokenCheck(JWT_SECRET)
const write = createLineWriter()
const pool = new Pool(`http://127.0.0.1:${QUERY_PORT}`, { connections: 128, keepAliveTimeout: 60_000 })

function relay(request: IncomingMessage, response: ServerResponse): void {
  const started = performance.now()
  const caller = check(request.headers.authorization, Date.now() / 1000)
  if (caller === null) {
    response.writeHead(401, { 'www-authenticate': 'Bearer', 'content-type': 'application/json' })
    response.end('{"detail":"Not authenticated"}')
    return
  }
  const id = randomUUID()
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  const { connection: _, ...headers } = request.headers
  response.on('finish', () => {
    const path = (request.url ?? '/').split('?', 1)[0]
    const durationS = (performance.now() - started) / 1000
    write(
      `{"timestamp":"${new Date().toISOString()}","level":"info","event":"request","request_id":"${id}",` +
        `"method":"${request.method}","path":${JSON.stringify(path)},"status_code":${response.statusCode},` +
        `"duration":${durationS.toFixed(6)},"company_id":"${caller.tenant}","subject":"${caller.subject}",` +
        `"client_ip":"${request.socket.remoteAddress}"}\n`,
    )
  })
  pool.dispatch(
    {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: { ...headers, 'x-company-id': caller.tenant, 'x-request-id': id },
      body: hasBody ? request : null,
    },
    {
      onRequestStart(controller) {
        // A client that left takes no more of the response: without this its upstream connection would wait forever.
        response.once('close', () => {
          if (!response.writableFinished) controller.abort(new Error('the client left'))
        })
      },
      onResponseStart(_controller, status, fields) {
        const { connection: _connection, 'transfer-encoding': _coding, ...rest } = fields
        response.writeHead(status, { ...rest, 'x-request-id': id })
      },
      onResponseData(controller, chunk) {
        if (response.write(chunk)) return
        controller.pause()
        response.once('drain', () => controller.resume())
      },
      onResponseEnd() {
        response.end()
      },
      onResponseError() {
        if (response.headersSent) response.destroy()
        else response.writeHead(502).end()
      },
    },
  )
}

createServer({ keepAliveTimeout: 75_000 }, relay).listen(Number(PEER_PORT), '127.0.0.1')
