import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:http'

/** A service that trusts nobody's word but the gateway's signature: answers with the claims, or 401. */
export function startUpstream(port: number, key: string): Promise<Server> {
  const server = createServer((request, response) => {
    const claims = verified(String(request.headers['x-identity-assertion'] ?? ''), key)
    response.statusCode = claims === null ? 401 : 200
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ claims }))
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

/** The claims of an assertion that is signed with the key and not expired. */
function verified(assertion: string, key: string): Record<string, unknown> | null {
  const [header = '', payload = '', signature = ''] = assertion.split('.')
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest()
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString())
  return Number(claims['exp']) * 1_000 > Date.now() ? claims : null
}

if (import.meta.main) await startUpstream(Number(process.argv[2] ?? 8081), process.env['ASSERTION_KEY'] ?? '')
