import { connect, type Socket } from 'node:net'
import { BodyBytes } from './body.ts'
import { Draw } from './draw.ts'
import { type Ending, judge, mayBreak, type Seen } from './judge.ts'
import { firstValueOf, type MessageHead, MessageReader, valuesOf } from './message-reader.ts'
import { writePaced } from './paced-write.ts'
import { endsConnection, type Plan } from './plan.ts'
import { requestWire } from './request-wire.ts'

/** What a connection tells the lane it belongs to. */
export interface ConnectionOwner {
  readonly seed: number
  readonly port: number
  tokenOf(plan: Plan): string | null
  settled(plan: Plan, ending: Ending, seen: string): void
  /** Everything is sent and answered; it takes the next group. */
  free(): void
  /** It ended; everything sent has been settled. */
  gone(): void
}

/** One buffer for all connections: a callback is through with it before the next read. */
const readBuffer = Buffer.allocUnsafe(64 * 1024)

const LARGE_BYTES = 100_000

/** One connection to the gateway: sends groups of exchanges, misbehaves as planned, judges what comes back. */
export class ClientConnection {
  /** When something last happened, milliseconds of performance.now(); for who watches for hangs. */
  progressMs = performance.now()
  readonly #owner: ConnectionOwner
  readonly #socket: Socket
  readonly #reader: MessageReader
  /** Sent, or being sent, and not settled; the first is the one whose response is read. */
  readonly #queue: Plan[] = []
  /** Of the last of a group that expects 100 (Continue). */
  #heldBody: Buffer | null = null
  #head: Seen['head'] = null
  #bytes = 0
  /** What the gateway itself said, where it did. */
  #own = ''
  #intact = true
  #persists = true
  #untilClose = false
  #content: BodyBytes | null = null
  #pauseMs = 0
  /** Set when an ending on this connection explains why nothing more comes of it. */
  #spoiled = false
  #over = false
  /** A group is still being written, piece by piece. */
  #writing = false

  constructor(owner: ConnectionOwner) {
    this.#owner = owner
    this.#reader = new MessageReader('response', {
      interim: (head) => this.#takeInterim(head),
      head: (head) => this.#takeHead(head),
      body: (buffer, start, end) => this.#takeBody(buffer, start, end),
      end: (trailers) => this.#takeEnd(trailers),
      garbage: (reason) => this.#settleFirst('GARBAGE', reason),
    })
    this.#socket = connect({
      host: '127.0.0.1',
      port: owner.port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#take(length) },
    })
    this.#socket.on('end', () => this.#reader.close())
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => this.#conclude())
  }

  get waiting(): boolean {
    return this.#queue.length > 0
  }

  send(group: readonly Plan[]): void {
    const first = group[0]
    const last = group.at(-1)
    if (first === undefined || last === undefined) return
    this.progressMs = performance.now()
    const begins = this.#queue.length === 0
    const wires: Buffer[] = []
    for (const plan of group) {
      this.#queue.push(plan)
      const { bytes, bodyAt } = requestWire(this.#owner.seed, plan, this.#owner.tokenOf(plan))
      if (plan.expect && plan.where < 0.5) {
        wires.push(bytes.subarray(0, bodyAt))
        this.#heldBody = bytes.subarray(bodyAt)
      } else if (plan.clientFault === 'abortRequest') {
        wires.push(bytes.subarray(0, Math.floor(plan.where * bytes.length)))
      } else wires.push(bytes)
    }
    if (begins) this.#expect(first)
    const wire = wires.length === 1 && wires[0] !== undefined ? wires[0] : Buffer.concat(wires)
    this.#writing = true
    writePaced(this.#socket, wire, first.requestCuts, new Draw(first.detail, 3), () => {
      this.#writing = false
      this.#sent(last)
      // Answered before it was whole: only now may the next request follow, or its bytes stand within this one's body.
      if (this.#queue.length === 0 && !this.#over) this.#owner.free()
    })
  }

  /** Nothing more will be sent. */
  close(): void {
    this.#end()
  }

  /** For an exchange that takes longer than it may. */
  hang(): void {
    this.#settleFirst('HANG', `after ${this.#bytes} bytes of its body`)
  }

  #sent(last: Plan): void {
    const { clientFault, pauseMs } = last
    if (clientFault === 'halfClose') this.#socket.end()
    if (clientFault !== 'abortRequest' && clientFault !== 'abortSent') return
    if (pauseMs > 0) setTimeout(() => this.#leave(last), pauseMs)
    // Once written, not before: leaving at once would take the bytes along.
    else this.#socket.write('', () => this.#leave(last))
  }

  #leave(plan: Plan): void {
    if (this.#over) return
    this.#reader.stop()
    this.#spoiled = true
    if (plan.reset) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
    this.#conclude()
  }

  #take(length: number): boolean {
    if (this.#over) return false
    this.progressMs = performance.now()
    if (this.#queue.length === 0) {
      this.#owner.settled(
        NOBODY,
        'GARBAGE',
        `unasked: ${readBuffer.toString('latin1', 0, Math.min(length, 80))}`,
      )
      this.#end()
      return false
    }
    this.#reader.feed(readBuffer, 0, length)
    if (this.#pauseMs === 0) return true
    setTimeout(() => this.#socket.resume(), this.#pauseMs)
    this.#pauseMs = 0
    return false
  }

  #expect(plan: Plan): void {
    this.#reader.bodyless = plan.method === 'HEAD'
    this.#content = new BodyBytes(this.#owner.seed, plan.number, 'response')
    this.#head = null
    this.#bytes = 0
    this.#own = ''
    this.#intact = true
  }

  #takeInterim(head: MessageHead): void {
    const plan = this.#queue[0]
    if (plan === undefined) {
      this.#settleFirst('GARBAGE', head.startLine)
      return
    }
    if (plan.minor === 0) {
      this.#settleFirst('GARBAGE', `${head.startLine} to HTTP/1.0`)
      return
    }
    if (head.startLine.startsWith('HTTP/1.1 100')) {
      if (this.#heldBody !== null) this.#socket.write(this.#heldBody)
      this.#heldBody = null
      return
    }
    const nonce = firstValueOf(head, 'x-nonce')
    if (nonce !== plan.nonce) this.#settleFirst('MIXUP', `interim ${nonce}`)
  }

  #takeHead(head: MessageHead): void {
    const plan = this.#queue[0]
    if (plan === undefined) {
      this.#settleFirst('GARBAGE', `unasked: ${head.startLine}`)
      return
    }
    const members = valuesOf(head, 'connection').join(',').toLowerCase()
    this.#untilClose = this.#reader.untilClose
    const says = plan.minor === 1 ? !members.includes('close') : members.includes('keep-alive')
    this.#persists = says && !this.#untilClose
    this.#head = {
      status: Number(head.startLine.slice(9, 12)),
      nonce: singleOf(head, 'x-nonce'),
      requestId: singleOf(head, 'x-request-id'),
    }
    if (this.#head.nonce === null) this.#content = null
    else if (plan.clientFault === 'abortResponse' && plan.response.bytes === 0) this.#leave(plan)
    else if (plan.pauseMs > 0 && plan.response.bytes > LARGE_BYTES) this.#pauseMs = plan.pauseMs
  }

  #takeBody(buffer: Buffer, start: number, end: number): void {
    const plan = this.#queue[0]
    if (plan === undefined) return
    if (this.#content?.matches(buffer, start, end, this.#bytes) === false) {
      this.#intact = false
      this.#judgeFirst(null, false)
      return
    }
    if (this.#content === null) this.#own += buffer.toString('latin1', start, end)
    this.#bytes += end - start
    const aborts = plan.clientFault === 'abortResponse' && this.#head?.nonce !== null
    if (aborts && this.#bytes >= plan.where * plan.response.bytes) this.#leave(plan)
  }

  #takeEnd(trailers: MessageHead): void {
    this.#judgeFirst(firstValueOf(trailers, 'x-nonce-trailer'), true)
  }

  #judgeFirst(trailer: string | null, complete: boolean): void {
    const plan = this.#queue[0]
    if (plan === undefined) return
    const seen: Seen = {
      head: this.#head,
      bytes: this.#bytes,
      intact: this.#intact,
      complete,
      untilClose: this.#untilClose,
      trailer,
      behind: this.#spoiled,
    }
    const ending = judge(plan, seen)
    this.#settleFirst(ending, ending === 'exact' ? '' : `${describe(seen)} ${this.#own}`)
  }

  #settleFirst(ending: Ending, text: string): void {
    const plan = this.#queue.shift() ?? NOBODY
    // Whatever is settled without an answer of its own must not be taken for having had this one.
    this.#head = null
    this.#bytes = 0
    this.#owner.settled(plan, ending, text)
    const goesOn = ending === 'exact' || ending === 'failed' || ending === 'collateral'
    if (!goesOn || !this.#persists || endsConnection(plan)) {
      this.#spoiled = true
      this.#end()
      return
    }
    const next = this.#queue[0]
    if (next !== undefined) this.#expect(next)
    else if (!this.#writing) this.#owner.free()
  }

  #end(): void {
    this.#reader.stop()
    this.#socket.destroy()
    this.#conclude()
  }

  /** Settles what will get no answer any more. */
  #conclude(): void {
    if (this.#over) return
    this.#over = true
    this.#reader.stop()
    if (this.#queue.slice(1).some(breaksByReset)) this.#spoiled = true
    while (this.#queue.length > 0) {
      const plan = this.#queue.shift() ?? NOBODY
      const seen: Seen = {
        head: this.#head,
        bytes: this.#bytes,
        intact: true,
        complete: false,
        untilClose: false,
        trailer: null,
        behind: this.#spoiled,
      }
      this.#head = null
      this.#bytes = 0
      this.#spoiled = true
      this.#owner.settled(plan, judge(plan, seen), describe(seen))
    }
    this.#owner.gone()
  }
}

/** Stands in where bytes belong to no exchange. */
const NOBODY = { number: -1, nonce: 'nobody' } as Plan

/**
 * Only a reset tells an HTTP/1.0 client, whose body may last to the connection's end, that it got a torso; and a reset
 * overtakes what is still on its way of the responses before it.
 */
function breaksByReset(plan: Plan): boolean {
  return plan.minor === 0 && mayBreak(plan)
}

function singleOf(head: MessageHead, name: string): string | null {
  const values = valuesOf(head, name)
  return values.length === 0 ? null : values.join(', ')
}

function describe({ head, bytes, complete, trailer, behind }: Seen): string {
  if (head === null) return behind ? 'no answer, behind another' : 'no answer'
  const { status, nonce, requestId } = head
  return `status ${status}, nonce ${nonce}, id ${requestId}, ${bytes} bytes, ${complete ? 'whole' : 'torso'}, trailer ${trailer}`
}
