import type { Head } from '../http1/head.ts'
import { joinedValues, singleValue } from './field-values.ts'

/**
 * What is believed of a trusted proxy about how a client came. It may be passing on what that client says, and
 * redirects, the API's description and spans repeat it.
 */
const SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'ws', 'wss'])

/** Tells whose forwarding fields are believed. */
export type TrustsPeer = (address: string) => boolean

/** Where a request came from, and the field lines that tell an upstream so (contract: owned fields). */
export interface Origin {
  readonly clientIp: string
  /** The peer is a trusted proxy: what it says of ports and addresses passes. */
  readonly trusted: boolean
  readonly scheme: string
  readonly lines: string
}

/** The peer of a connection. What it alone decides is made once, and again only when the Host it asks for changes. */
export class Peer {
  readonly address: string
  readonly #trusts: TrustsPeer | null
  #host: string | null = null
  #origin: Origin | null = null

  /** `trusts`: null where no proxy is trusted. */
  constructor(address: string, trusts: TrustsPeer | null) {
    this.address = address
    this.#trusts = trusts?.(address) === true ? trusts : null
  }

  /**
   * From the peer alone, unless it is a trusted proxy: then its fields are continued, and the client is the last
   * address in the chain that is not a trusted proxy's.
   */
  originOf(head: Head): Origin {
    if (this.#trusts !== null) return continued(head, this.address, this.#trusts)
    const { host } = head
    if (this.#origin === null || host !== this.#host) {
      this.#host = host
      this.#origin = {
        clientIp: this.address,
        trusted: false,
        scheme: 'http',
        lines: originLines(this.address, 'http', host),
      }
    }
    return this.#origin
  }
}

function originLines(chain: string, scheme: string, host: string): string {
  const lines = `X-Forwarded-For: ${chain}\r\nX-Forwarded-Proto: ${scheme}\r\n`
  return host === '' ? lines : `${lines}X-Forwarded-Host: ${host}\r\n`
}

function continued(head: Head, address: string, trusts: TrustsPeer): Origin {
  const chain = joinedValues(head, 'x-forwarded-for')
  const stated = singleValue(head, 'x-forwarded-proto')?.toLowerCase() ?? ''
  const scheme = SCHEMES.has(stated) ? stated : 'http'
  const host = singleValue(head, 'x-forwarded-host') ?? head.host
  const lines = originLines(chain === '' ? address : `${chain}, ${address}`, scheme, host)
  return { clientIp: clientIn(chain, address, trusts), trusted: true, scheme, lines }
}

function clientIn(chain: string, peer: string, trusts: TrustsPeer): string {
  let client = peer
  if (chain === '') return client
  for (const part of chain.split(',').reverse()) {
    const address = part.trim()
    if (!isAddressLike(address)) break
    client = address
    if (!trusts(address)) break
  }
  return client
}

/** Enough to keep text that is no address out of logs and limits; whether it is one, the trust check decides. */
function isAddressLike(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false
  for (let index = 0; index < text.length; index++) {
    if (!'0123456789abcdefABCDEF.:'.includes(text.charAt(index))) return false
  }
  return true
}
