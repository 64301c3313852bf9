import { Head } from '../../http1/head.ts'

const NO_HEAD = new Head()
const ROOT = '/'

/**
 * One look through the table: what is looked for, as offsets into the head's own text. One object serves every look,
 * so that a look makes nothing; what it holds is overwritten by the next.
 */
export class Walk {
  head = NO_HEAD
  method = ''
  /** The path is `text` from `start` to `end`. */
  text = ''
  start = 0
  end = 0
  /** Something matches apart from the method. */
  isKnown = false
  /** Filled instead of stopping at the first that takes the method: the methods of all that match apart from it. */
  missed: Set<string> | null = null
  /** A preflight carries none of the fields that the request it asks for will have. */
  kind: 'request' | 'preflight' = 'request'

  begin(head: Head): void {
    this.head = head
    this.method = head.method
    this.isKnown = false
    this.missed = null
    this.kind = 'request'
    // Absolute-form without a path means the root (RFC 9112 section 3.2.2).
    const isEmpty = head.pathStart === head.pathEnd
    this.text = isEmpty ? ROOT : head.text
    this.start = isEmpty ? 0 : head.pathStart
    this.end = isEmpty ? ROOT.length : head.pathEnd
  }
}
