import { randomUUID } from 'node:crypto'
import { fastifyHttpProxy } from '@fastify/http-proxy'
import fastify from 'fastify'
import { createLineWriter } from './access-line.ts'
import { createTokenCheck } from './verify-token.ts'

/** fastify with @fastify/http-proxy doing the common job: token, tenant, request id, one access line. */
declare module 'fastify' {
  interface FastifyRequest {
    tenant: string
  }
}

const { PEER_PORT = '0', QUERY_PORT = '0', JWT_SECRET = '' } = process.env
const check = createTokenCheck(JWT_SECRET)
const write = createLineWriter()

const app = fastify({
  logger: { level: 'info', stream: { write } },
  // Its own two lines a request give way to one, written when the response is finished.
  disableRequestLogging: true,
  genReqId: () => randomUUID(),
  keepAliveTimeout: 75_000,
})
app.decorateRequest('tenant', '')
app.addHook('onRequest', (request, reply, done) => {
  const caller = check(request.headers.authorization, Date.now() / 1000)
  if (caller === null) {
    void reply.code(401).header('www-authenticate', 'Bearer').send({ detail: 'Not authenticated' })
    return
  }
  request.tenant = caller.tenant
  done()
})
app.addHook('onResponse', (request, reply, done) => {
  request.log.info(
    {
      method: request.method,
      path: request.url.split('?', 1)[0],
      status_code: reply.statusCode,
      duration: reply.elapsedTime / 1000,
      company_id: request.tenant,
      client_ip: request.ip,
    },
    'request',
  )
  done()
})
await app.register(fastifyHttpProxy, {
  upstream: `http://127.0.0.1:${QUERY_PORT}`,
  undici: { connections: 128, keepAliveTimeout: 60_000 },
  replyOptions: {
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      'x-company-id': request.tenant,
      'x-request-id': request.id,
    }),
  },
})
await app.listen({ host: '127.0.0.1', port: Number(PEER_PORT) })
