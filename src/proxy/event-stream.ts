import type { Head } from '../http1/head.ts'

const TYPE = 'text/event-stream'

/** Whether a response is a stream of events (WHATWG HTML, section 9.2): it ends when somebody leaves, not in time. */
export function isEventStream(head: Head): boolean {
  const type = head.get('content-type')
  return type !== null && type.slice(0, TYPE.length).toLowerCase() === TYPE
}
