import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

/**
 * Holds a gateway's live page open: reads its events as a browser does, and prints of every second that one tells of
 * how many requests it had and when that was read. Argument: port of the admin listener. Ends when the stream does.
 */
export interface SecondRead {
  /** Since the epoch. */
  readonly second: number
  readonly requests: number
  /** Wall clock. */
  readonly readMs: number
}

interface SecondEvent {
  readonly figures: { readonly second: readonly number[]; readonly requests: readonly number[] }
}

const PREFIX = 'event: second\ndata: '

function tell(event: string): void {
  if (!event.startsWith(PREFIX)) return
  const { figures }: SecondEvent = JSON.parse(event.slice(PREFIX.length))
  const readMs = Date.now()
  for (const [index, second] of figures.second.entries()) {
    const read: SecondRead = { second, requests: figures.requests[index] ?? 0, readMs }
    process.stdout.write(`${JSON.stringify(read)}\n`)
  }
}

const asked = get({ host: '127.0.0.1', port: Number(process.argv[2]), path: '/events', agent: false })
const [response]: IncomingMessage[] = await once(asked, 'response')
if (response?.statusCode !== 200) throw new Error(`no stream of events: ${response?.statusCode}`)
response.setEncoding('utf8')
let unread = ''
for await (const chunk of response) {
  const events = `${unread}${chunk}`.split('\n\n')
  unread = events.pop() ?? ''
  for (const event of events) tell(event)
}
