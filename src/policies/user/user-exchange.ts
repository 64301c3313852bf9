import type { Exchange, Identity, RequestHead } from '../../proxy/exchange.ts'
import type { PolicyExchange, PolicyHead, SettledExchange } from './define-policy.ts'
import { isFieldName, isFieldValue } from './field-grammar.ts'
import { isReservedResponseField } from './reserved-field.ts'

/**
 * An exchange as one policy of a user's sees it, for as long as it may: behind that the head's memory is another
 * request's, of another tenant.
 */
export class UserExchange implements PolicyExchange, SettledExchange, PolicyHead {
  readonly #exchange: Exchange
  /** Lower case. */
  readonly #owns: ReadonlySet<string>
  readonly #stage: 'admit' | 'settle'
  #isClosed = false

  constructor(exchange: Exchange, owns: ReadonlySet<string>, stage: 'admit' | 'settle') {
    this.#exchange = exchange
    this.#owns = owns
    this.#stage = stage
  }

  /** The policy has had its say: reading the head and stating fields throw from now on. */
  close(): void {
    this.#isClosed = true
  }

  /** One object for both: it is made for every exchange. */
  get head(): PolicyHead {
    return this
  }

  get route(): string {
    return this.#exchange.route.name ?? ''
  }

  get identity(): Identity | null {
    return this.#exchange.identity
  }

  get clientIp(): string {
    return this.#exchange.clientIp
  }

  get requestId(): string {
    return this.#exchange.requestId
  }

  get scheme(): string {
    return this.#exchange.scheme
  }

  get status(): number {
    return this.#exchange.status
  }

  get code(): string | null {
    return this.#exchange.code
  }

  get bytesIn(): number {
    return this.#exchange.bytesIn
  }

  get bytesOut(): number {
    return this.#exchange.bytesOut
  }

  get aborted(): boolean {
    return this.#exchange.aborted
  }

  get method(): string {
    return this.#open('read').method
  }

  get target(): string {
    return this.#open('read').target
  }

  get path(): string {
    return this.#open('read').path
  }

  get host(): string {
    return this.#open('read').host
  }

  get(lowerCaseName: string): string | null {
    return this.#open('read').get(lowerCaseName)
  }

  all(lowerCaseName: string): string[] {
    const head = this.#open('read')
    const values: string[] = []
    for (let at = head.find(lowerCaseName, 0); at >= 0; at = head.find(lowerCaseName, at + 1))
      values.push(head.value(at))
    return values
  }

  assert(name: string, value: string): void {
    this.#open('state')
    if (!this.#owns.has(name.toLowerCase()))
      throw new Error(`the policy states ${JSON.stringify(name)} to the upstream, which is not in its owns`)
    checkValue(name, value)
    this.#exchange.assert(name, value)
  }

  answer(name: string, value: string): void {
    this.#open('state')
    if (!isFieldName(name) || isReservedResponseField(name, 'upstream'))
      throw new Error(
        `the policy states ${JSON.stringify(name)} to the client, which is not a policy's to state`,
      )
    checkValue(name, value)
    this.#exchange.answer(name, value)
  }

  /** An exchange can be over while `admit` waits: the client left. `settle` comes when it is, and only reads. */
  #open(purpose: 'read' | 'state'): RequestHead {
    const isOver = this.#exchange.over && (this.#stage === 'admit' || purpose === 'state')
    if (this.#isClosed || isOver)
      throw new Error(`the policy was too late to ${purpose} anything of this exchange`)
    return this.#exchange.head
  }
}

/** The value itself stays out of the message: it may be what a client sent, or a secret. */
function checkValue(name: string, value: unknown): void {
  if (typeof value === 'string' && isFieldValue(value)) return
  throw new Error(
    `the policy's value of ${name} is not visible ASCII with single spaces, 1 to 8,192 characters`,
  )
}
