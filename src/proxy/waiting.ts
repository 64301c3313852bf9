import type { RequestReceiver } from '../http1/server-connection.ts'
import type { RequestHead } from './exchange.ts'

/** Holds a request's place while a policy waits: nothing is read of its body, and a client that leaves is noticed. */
export class Waiting implements RequestReceiver {
  isGone = false
  readonly #onGone: () => void

  constructor(onGone: () => void) {
    this.#onGone = onGone
  }

  clientGone(): void {
    this.isGone = true
    this.#onGone()
  }

  bodyBroken(): void {
    this.clientGone()
  }

  body(): void {}
  bodyEnd(): void {}
  bodyPause(): void {}
  clientDrained(): void {}
  clientBytes(): void {}
  clientEnded(): void {}
}

/** Stands in for the head of what never became a request. */
export const UNREAD_HEAD: RequestHead = Object.freeze({
  method: '-',
  target: '-',
  path: '-',
  host: '',
  minor: 1,
  get: () => null,
  find: () => -1,
  value: () => '',
})
