import type { RequestListener, ServerResponse } from 'node:http'
import { readTarget, sendJson } from './demo-service.ts'
import type { TokenIssuer } from './demo-token.ts'
import { TOKEN_LIFE_S } from './demo-token.ts'

const MAX_BODY_BYTES = 16_384

/**
 * `POST …/login` with a JSON object, all of it optional: `{ "username": "…", "company_id": "…" }` gives a token for
 * them. No password is asked: it serves the loopback interface of a developer's machine. `issue` is null where the
 * gateway verifies with a public key, for which there is nothing here to sign with.
 */
export function demoAuth(issue: TokenIssuer | null): RequestListener {
  return (request, response) => {
    const { path } = readTarget(request.url)
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
    })
    request.on('end', () => {
      if (!path.endsWith('/login')) return refuse(response, 404, 'try POST /api/auth/login')
      if (request.method !== 'POST') return refuse(response, 405, 'POST it')
      if (bytes > MAX_BODY_BYTES) return refuse(response, 413, `more than ${MAX_BODY_BYTES} bytes`)
      if (issue === null) return refuse(response, 501, 'only tokens of the HS algorithms can be issued here')
      const claims = readLogin(Buffer.concat(chunks).toString('utf8'))
      if (claims === null) return refuse(response, 400, 'send {"username": "...", "company_id": "..."}')
      sendJson(response, 200, { access_token: issue(claims), token_type: 'bearer', expires_in: TOKEN_LIFE_S })
    })
  }
}

function refuse(response: ServerResponse, status: number, error: string): void {
  if (status === 405) response.setHeader('Allow', 'POST')
  sendJson(response, status, { service: 'auth', error })
}

function readLogin(text: string): { readonly sub: string; readonly company_id: string | number } | null {
  const body = text.trim() === '' ? {} : parseObject(text)
  if (body === null) return null
  const { username = 'demo-user', company_id = 'acme' } = body
  if (typeof username !== 'string' || username === '') return null
  if (typeof company_id !== 'string' && !Number.isSafeInteger(company_id)) return null
  return { sub: username, company_id: company_id as string | number }
}

function parseObject(text: string): { readonly username?: unknown; readonly company_id?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}
