import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'

/** What the gateway asks. */
export interface Question {
  readonly tenant: string | null
  readonly method: string
  readonly path: string
}

/** An authoriser with one rule: only the tenant acme may delete. */
export function startAuthoriser(
  port: number,
  asked: (question: Question) => void = () => {},
): Promise<Server> {
  const server = createServer(async (request, response) => {
    const question: Question = JSON.parse(await text(request))
    asked(question)
    const isRefused = question.method === 'DELETE' && question.tenant !== 'acme'
    response.statusCode = isRefused ? 403 : 204
    response.end(isRefused ? `${question.tenant} may not delete.` : '')
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

if (import.meta.main) await startAuthoriser(Number(process.argv[2] ?? 8082))
