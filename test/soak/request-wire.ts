import { BodyBytes } from './body.ts'
import { Draw } from './draw.ts'
import { type BodyPlan, type Plan, targetOf } from './plan.ts'

export interface RequestWire {
  readonly bytes: Buffer
  /** Where the body begins. */
  readonly bodyAt: number
}

/** The request as it goes out, body and framing included. */
export function requestWire(seed: number, plan: Plan, token: string | null): RequestWire {
  const draw = new Draw(plan.detail, 1)
  let head = `${plan.method} ${targetOf(plan)} HTTP/1.${plan.minor}\r\nHost: soak.test\r\n`
  if (token !== null) head += `Authorization: Bearer ${token}\r\n`
  head += `X-Nonce: ${plan.nonce}\r\nX-Request-ID: ${plan.nonce}\r\nUser-Agent: soak/1.0\r\nAccept: */*\r\n`
  if (plan.spoof) {
    head += `X-Company-ID: spoofed\r\nx_company_id: spoofed\r\nX-COMPANY.ID: spoofed\r\n`
    if (plan.connection === null) head += 'Connection: X-Company-ID\r\n'
  }
  if (plan.connection !== null) head += `Connection: ${plan.connection}\r\n`
  if (plan.expect) head += 'Expect: 100-continue\r\n'
  head += framingField(plan.request)
  if (plan.request.trailer) head += 'Trailer: X-Nonce-Trailer\r\n'
  const trailers = plan.spoof
    ? `X-Nonce-Trailer: ${plan.nonce}\r\nX-Company-ID: spoofed\r\n`
    : `X-Nonce-Trailer: ${plan.nonce}\r\n`
  return assemble(head, plan.request, new BodyBytes(seed, plan.number, 'request'), draw, trailers)
}

export function framingField(body: BodyPlan): string {
  if (body.framing === 'sized') return `Content-Length: ${body.bytes}\r\n`
  if (body.framing === 'chunked') return 'Transfer-Encoding: chunked\r\n'
  return ''
}

/** A head without its empty line, and its body, framed, in one buffer. */
export function assemble(
  head: string,
  body: BodyPlan,
  content: BodyBytes,
  draw: Draw,
  trailers: string,
): RequestWire {
  if (body.framing !== 'chunked') {
    const bodyAt = head.length + 2
    const bytes = Buffer.allocUnsafe(bodyAt + body.bytes)
    bytes.write(`${head}\r\n`, 0, 'latin1')
    content.fill(bytes, bodyAt, body.bytes, 0)
    return { bytes, bodyAt }
  }
  const sizes: number[] = []
  let framing = 0
  const largest = body.bytes < 2_000 ? 800 : 1 + Math.floor(body.bytes / 3)
  for (let left = body.bytes; left > 0; ) {
    const size = Math.min(left, 1 + draw.below(largest))
    sizes.push(size)
    framing += size.toString(16).length + 4
    left -= size
  }
  const last = `0\r\n${body.trailer ? trailers : ''}\r\n`
  const bodyAt = head.length + 2
  const bytes = Buffer.allocUnsafe(bodyAt + body.bytes + framing + last.length)
  let at = bytes.write(`${head}\r\n`, 0, 'latin1')
  let offset = 0
  for (const size of sizes) {
    at += bytes.write(`${size.toString(16)}\r\n`, at, 'latin1')
    content.fill(bytes, at, size, offset)
    at += size
    offset += size
    at += bytes.write('\r\n', at, 'latin1')
  }
  bytes.write(last, at, 'latin1')
  return { bytes, bodyAt }
}
