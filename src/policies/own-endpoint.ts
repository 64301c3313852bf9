import { type Answer, answer, jsonAnswer } from '../proxy/answer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'

type Respond = (exchange: Exchange) => Answer | Failure

/** What the gateway answers itself, by exact path (contract: own endpoints). `isReady` is asked at each request. */
export function ownEndpoints(name: string, isReady: () => boolean): ReadonlyMap<string, Respond> {
  const root = jsonAnswer(200, { message: `${name} is running!` })
  const healthy = jsonAnswer(200, { status: 'healthy', service: name })
  const live = jsonAnswer(200, { status: 'live' })
  const ready = jsonAnswer(200, { status: 'ready' })
  const unready = failure('draining')
  return new Map<string, Respond>([
    ['/', () => root],
    ['/health', () => (isReady() ? healthy : unready)],
    ['/health/live', () => live],
    ['/health/ready', () => (isReady() ? ready : unready)],
  ])
}

/** Own endpoints with a slash too many lead to the one without, as they always did. */
export function withoutSlash(exchange: Exchange): Answer {
  const { head } = exchange
  const path = head.path.slice(0, -1)
  const query = head.target.indexOf('?')
  const origin = head.host === '' ? '' : `${exchange.scheme}://${head.host}`
  const location = `${origin}${path}${query < 0 ? '' : head.target.slice(query)}`
  return answer(307, `Location: ${location}\r\n`, '')
}
