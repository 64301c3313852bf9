import { FIELD_STRIDE, type Head } from '../http1/head.ts'

const TYPE = 'text/event-stream'
/** What tells it from most other types without a string made. */
const E = 101
const E_AT = 5

/** Whether a response is a stream of events (WHATWG HTML, section 9.2): it ends when somebody leaves, not in time. */
export function isEventStream(head: Head): boolean {
  const index = head.find('content-type', 0)
  if (index < 0) return false
  const start = head.fields[index * FIELD_STRIDE + 2] as number
  if ((head.text.charCodeAt(start + E_AT) | 32) !== E) return false
  return head.value(index).slice(0, TYPE.length).toLowerCase() === TYPE
}
