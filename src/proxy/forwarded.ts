import type { Head } from '../http1/head.ts'

/** Tells whose forwarding fields are believed. */
export type TrustsPeer = (address: string) => boolean

/** Field lines that tell an upstream where a request came from (contract: owned fields), and the client's address. */
export interface Origin {
  readonly clientIp: string
  readonly trusted: boolean
  readonly scheme: string
  readonly lines: string
}

/**
 * From the connection's peer alone, unless it is a trusted proxy: then its fields are continued, and the client is the
 * last address in the chain that is not a trusted proxy's.
 */
export function originOf(head: Head, peer: string, trusts: TrustsPeer | null): Origin {
  const host = head.host
  if (trusts === null || !trusts(peer)) return fresh(peer, host)
  const chain = joined(head, 'x-forwarded-for')
  const scheme = single(head, 'x-forwarded-proto') ?? 'http'
  const forwardedHost = single(head, 'x-forwarded-host') ?? host
  const lines =
    `X-Forwarded-For: ${chain === '' ? peer : `${chain}, ${peer}`}\r\nX-Forwarded-Proto: ${scheme}\r\n` +
    (forwardedHost === '' ? '' : `X-Forwarded-Host: ${forwardedHost}\r\n`)
  return { clientIp: clientIn(chain, peer, trusts), trusted: true, scheme, lines }
}

function fresh(peer: string, host: string): Origin {
  const lines = `X-Forwarded-For: ${peer}\r\nX-Forwarded-Proto: http\r\n`
  return {
    clientIp: peer,
    trusted: false,
    scheme: 'http',
    lines: host === '' ? lines : `${lines}X-Forwarded-Host: ${host}\r\n`,
  }
}

function clientIn(chain: string, peer: string, trusts: TrustsPeer): string {
  if (chain === '') return peer
  const addresses = chain.split(',')
  let client = peer
  for (let index = addresses.length - 1; index >= 0; index--) {
    const address = (addresses[index] as string).trim()
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

function joined(head: Head, name: string): string {
  let all = ''
  for (let index = head.find(name, 0); index >= 0; index = head.find(name, index + 1)) {
    const value = head.value(index)
    if (value !== '') all += all === '' ? value : `, ${value}`
  }
  return all
}

/** A trusted proxy's field, if it is there once and not empty. */
function single(head: Head, name: string): string | null {
  const index = head.find(name, 0)
  if (index < 0 || head.find(name, index + 1) >= 0) return null
  const value = head.value(index)
  return value === '' ? null : value
}
