import type { Socket } from 'node:net'
import { BodyBytes } from './body.ts'
import { Draw } from './draw.ts'
import { firstValueOf, type MessageHead, MessageReader, valuesOf } from './message-reader.ts'
import { writePaced } from './paced-write.ts'
import { type Plan, planOf, targetOf } from './plan.ts'
import { assemble, framingField } from './request-wire.ts'

/** What the origin tells about an exchange that must not be. */
export type OriginFault =
  | 'MIXUP'
  | 'WRONG_BODY'
  | 'WRONG_TENANT'
  | 'GARBAGE'
  | 'REPLAYED'
  | 'OVERLAP'
  | 'WRONG_HEAD'

export interface OriginLedger {
  readonly seed: number
  /** How often the head of each exchange has come, by its number. */
  readonly heads: Uint8Array
  /** Exchanges that came on a connection which an exchange before them had spoilt without a sign. */
  victims: number
  /** Exchanges with upstreams that send no surplus, and how many of them came on a connection that had carried one. */
  trusted: number
  reused: number
  report(fault: OriginFault, text: string): void
}

/** The base paths of the upstream URLs the gateway is given. */
export const BASE_PATHS = { query: '/base/query', ingest: '/base/ingest', auth: '' } as const

const STRAY = 'HTTP/1.1 200 OK\r\nX-Nonce: stray\r\nContent-Length: 5\r\n\r\nstray'
const NONCE_IN_TARGET = /\/soak\/n\d+-(\d+)-/
/** For a retried exchange the same fault would come again: from the third time on there is none. */
const MAX_FAULTS = 2

/** One connection from the gateway: checks every request against its plan, and answers, or fails, as planned. */
export class OriginConnection {
  readonly #socket: Socket
  readonly #ledger: OriginLedger
  readonly #reader: MessageReader
  #plan: Plan | null = null
  #content: BodyBytes | null = null
  #received = 0
  #answered = false
  /** A response, or what follows it, is still being written. */
  #writing = false
  /** It was closed, or will bear surplus, after a response that was whole: the next exchange suffers for it. */
  #spoilt = false

  constructor(socket: Socket, ledger: OriginLedger) {
    this.#socket = socket
    this.#ledger = ledger
    this.#reader = new MessageReader('request', {
      interim: () => {},
      head: (head) => this.#takeHead(head),
      body: (buffer, start, end) => this.#takeBody(buffer, start, end),
      end: (trailers) => this.#takeEnd(trailers),
      garbage: (reason) => this.#report('GARBAGE', reason),
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#reader.feed(chunk, 0, chunk.length))
    socket.on('end', () => socket.end())
    socket.on('error', () => socket.destroy())
  }

  #takeHead(head: MessageHead): void {
    const { seed, heads } = this.#ledger
    const [, target = ''] = head.startLine.split(' ')
    const number = Number(NONCE_IN_TARGET.exec(target)?.[1] ?? -1)
    if (number < 0 || number >= heads.length) {
      this.#report('GARBAGE', `target ${target}`)
      return
    }
    if (this.#writing) this.#report('OVERLAP', `exchange ${number} before the last was answered`)
    if (this.#spoilt) this.#ledger.victims++
    const plan = planOf(seed, number)
    if (plan.route !== 'auth') {
      this.#ledger.trusted++
      if (this.#plan !== null) this.#ledger.reused++
    }
    this.#plan = plan
    this.#content = new BodyBytes(seed, number, 'request')
    this.#received = 0
    this.#answered = false
    this.#checkHead(plan, head, target)
    const times = (heads[number] ?? 0) + 1
    heads[number] = times
    if (times > 1 && (plan.method === 'POST' || plan.method === 'PATCH')) {
      this.#report('REPLAYED', `${plan.method}, exchange ${number}, came ${times} times`)
    }
    if (plan.expect) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    if (this.#faultOf(plan) === 'early' || this.#faultOf(plan) === 'earlyClose') this.#answer(plan)
  }

  #checkHead(plan: Plan, head: MessageHead, target: string): void {
    const wanted = BASE_PATHS[plan.route] + targetOf(plan)
    const line = `${plan.method} ${wanted} HTTP/1.1`
    if (head.startLine !== line) this.#report('WRONG_HEAD', `${head.startLine} instead of ${line}`)
    for (const name of ['x-nonce', 'x-request-id']) {
      const values = valuesOf(head, name)
      if (values.length !== 1 || values[0] !== plan.nonce) {
        this.#report('MIXUP', `${name} ${JSON.stringify(values)} on ${target}`)
      }
    }
    const tenants = head.values.filter(
      (_, index) => head.names[index]?.replace(/[_.]/g, '-') === 'x-company-id',
    )
    const right =
      plan.tenant === null ? tenants.length === 0 : tenants.length === 1 && tenants[0] === plan.tenant
    if (!right) this.#report('WRONG_TENANT', `${JSON.stringify(tenants)} for ${plan.tenant} on ${target}`)
    const framing = framingField(plan.request).toLowerCase().trim()
    const [name = '', value = ''] = framing.split(': ')
    if (framing !== '' && firstValueOf(head, name) !== value)
      this.#report('WRONG_HEAD', `${name} on ${target}`)
  }

  #takeBody(buffer: Buffer, start: number, end: number): void {
    if (this.#content?.matches(buffer, start, end, this.#received) === false) {
      this.#report('WRONG_BODY', `request of exchange ${this.#plan?.number}, from byte ${this.#received}`)
      this.#reader.stop()
    }
    this.#received += end - start
  }

  #takeEnd(trailers: MessageHead): void {
    const plan = this.#plan
    if (plan === null) return
    if (this.#received !== plan.request.bytes) {
      const lengths = `${this.#received} bytes for ${plan.request.bytes}`
      this.#report('WRONG_BODY', `request of exchange ${plan.number}: ${lengths}`)
    }
    const wanted = plan.request.trailer ? plan.nonce : null
    if (firstValueOf(trailers, 'x-nonce-trailer') !== wanted) {
      this.#report('WRONG_HEAD', `trailer of exchange ${plan.number}: ${JSON.stringify(trailers.values)}`)
    }
    if (trailers.names.includes('x-company-id')) {
      this.#report('WRONG_TENANT', `trailer of exchange ${plan.number}`)
    }
    if (this.#answered) return
    if (plan.pauseMs > 0) setTimeout(() => this.#answer(plan), plan.pauseMs)
    else this.#answer(plan)
  }

  #answer(plan: Plan): void {
    if (this.#socket.destroyed || plan !== this.#plan) return
    this.#answered = true
    const fault = this.#faultOf(plan)
    if (fault === 'resetBefore') {
      this.#socket.resetAndDestroy()
      return
    }
    const draw = new Draw(plan.detail, 2)
    let head = `HTTP/1.1 ${plan.status} Planned\r\nX-Nonce: ${plan.nonce}\r\nX-Request-ID: theirs\r\n`
    head += `Content-Type: application/octet-stream\r\nSet-Cookie: nonce=${plan.nonce}\r\n`
    if (fault === 'earlyClose') head += 'Connection: close\r\n'
    head += framingField(plan.response)
    const sent =
      plan.method === 'HEAD' ? { ...plan.response, framing: 'sized' as const, bytes: 0 } : plan.response
    const content = new BodyBytes(this.#ledger.seed, plan.number, 'response')
    const { bytes, bodyAt } = assemble(head, sent, content, draw, `X-Nonce-Trailer: ${plan.nonce}\r\n`)
    for (let count = 0; count < plan.interim; count++) {
      this.#socket.write(`HTTP/1.1 103 Early Hints\r\nX-Nonce: ${plan.nonce}\r\nLink: </${count}>\r\n\r\n`)
    }
    this.#write(plan, fault, bytes, bodyAt, draw)
  }

  #write(plan: Plan, fault: Plan['upstreamFault'], bytes: Buffer, bodyAt: number, draw: Draw): void {
    const socket = this.#socket
    this.#writing = true
    const written = (): void => {
      this.#writing = false
    }
    switch (fault) {
      case 'resetHead':
      case 'resetBody':
      case 'cutBody': {
        const [from, to] = fault === 'resetHead' ? [1, bodyAt - 1] : [bodyAt, bytes.length - 1]
        const part = bytes.subarray(0, from + Math.floor(plan.where * (to - from)))
        // Once the bytes are out: a reset at once would take them back.
        const leave = (): void => void (fault === 'cutBody' ? socket.end() : socket.resetAndDestroy())
        socket.write(part, () => setTimeout(leave, 1))
        return
      }
      case 'extra':
        socket.write(Buffer.concat([bytes, Buffer.from('surplus')]), written)
        return
      case 'double':
        socket.write(Buffer.concat([bytes, Buffer.from(STRAY)]), written)
        return
      case 'lateExtra':
        written()
        this.#spoilt = true
        socket.write(bytes)
        // Not HTTP: by then the connection may carry another exchange, which must fail rather than get this.
        setTimeout(
          () => {
            // Never into the middle of another response: that would be our own mix-up.
            if (this.#plan === plan && socket.writable) socket.write('\0\0 surplus, late')
          },
          1 + Math.floor(plan.where * 4),
        )
        return
      case 'closeAfter':
        written()
        this.#spoilt = true
        // As a server whose keep-alive time is over: half of them answer what comes after by RST, half not at all.
        socket.end(bytes, () => plan.reset && socket.destroy())
        return
      case 'earlyClose':
        written()
        socket.write(bytes, () => setTimeout(() => socket.destroy(), 20))
        return
      default:
        writePaced(socket, bytes, plan.responseCuts, draw, () => {
          written()
          if (plan.response.framing === 'close' && plan.method !== 'HEAD') socket.end()
        })
    }
  }

  #faultOf(plan: Plan): Plan['upstreamFault'] {
    return (this.#ledger.heads[plan.number] ?? 0) > MAX_FAULTS ? 'none' : plan.upstreamFault
  }

  #report(fault: OriginFault, text: string): void {
    this.#ledger.report(fault, text)
  }
}
