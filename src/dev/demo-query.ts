import type { RequestListener, ServerResponse } from 'node:http'
import { readTarget, sendJson } from './demo-service.ts'

const DOCUMENTS = [
  { id: 1, title: 'Quarterly report', text: 'Revenue grew in every region this quarter.' },
  { id: 2, title: 'Travel policy', text: 'Book trains for journeys under four hours.' },
  { id: 3, title: 'Onboarding', text: 'Your first week: accounts, people, and one small change.' },
]

const REPLY =
  'This answer was made up by the demo query service and reached you token by token: ' +
  'the gateway passes every piece on the moment it arrives.'

/**
 * `…/search?q=` answers with JSON, `…/stream?q=` with server-sent events: one `token` event each `tokenIntervalMs`,
 * then one `done`.
 */
export function demoQuery(tokenIntervalMs: number): RequestListener {
  return (request, response) => {
    request.resume()
    const { path, query } = readTarget(request.url)
    const question = query.get('q') ?? ''
    const tenant = request.headers['x-company-id'] ?? null
    if (path.endsWith('/search')) {
      const found = DOCUMENTS.filter(({ title, text }) => matches(`${title} ${text}`, question))
      sendJson(response, 200, { service: 'query', tenant, query: question, results: found })
      return
    }
    if (path.endsWith('/stream')) {
      stream(response, tokenIntervalMs)
      return
    }
    sendJson(response, 404, { service: 'query', error: 'try .../search?q=report or .../stream?q=report' })
  }
}

function matches(text: string, question: string): boolean {
  return text.toLowerCase().includes(question.toLowerCase())
}

function stream(response: ServerResponse, tokenIntervalMs: number): void {
  const tokens = REPLY.match(/\S+\s*/g) ?? []
  let sent = 0
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  const timer = setInterval(() => {
    const token = tokens[sent]
    if (token === undefined) {
      response.end(event('done', { tokens: sent }))
      return
    }
    response.write(event('token', { token }))
    sent += 1
  }, tokenIntervalMs)
  response.once('close', () => clearInterval(timer))
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
