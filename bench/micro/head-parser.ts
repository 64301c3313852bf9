/**
 * What parsing a head costs: a request of 557 bytes and 10 fields as a browser's API client sends it, a response of
 * an API, and a chunked body. Warm; the median of many short rounds, and the best, which a busy machine disturbs
 * least. Run: node bench/micro/head-parser.ts
 */
import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts'
import { Head } from '../../src/http1/head.ts'
import { parseRequestHead, parseResponseHead, resetHead } from '../../src/http1/head-parser.ts'

const ROUNDS = 200
const PER_ROUND = 5_000
const REQUEST_BYTES = 557

const request = requestOf(REQUEST_BYTES)
const response = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 87\r\n' +
    'Date: Mon, 24 Nov 2025 04:00:00 GMT\r\nServer: uvicorn\r\nCache-Control: no-store\r\n\r\n',
)
const chunked = Buffer.from(`${'57\r\n'.concat('x'.repeat(0x57), '\r\n').repeat(4)}0\r\n\r\n`)

const head = new Head()
const decoder = new ChunkedDecoder()
const scratch = Buffer.alloc(chunked.length)

report(`request head, ${request.length} bytes, 10 fields`, () => {
  resetHead(head)
  return parseRequestHead(head, request, 0, request.length)
})
report(`response head, ${response.length} bytes, 5 fields`, () => {
  resetHead(head)
  return parseResponseHead(head, response, 0, response.length)
})
report(`chunked body, ${chunked.length} bytes, 4 chunks (its copy into place included)`, () => {
  decoder.reset()
  chunked.copy(scratch)
  return decoder.decode(scratch, 0, scratch.length)
})

function report(what: string, once: () => number): void {
  const nanoseconds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = process.hrtime.bigint()
    for (let index = 0; index < PER_ROUND; index++) {
      if (once() <= 0) throw new Error(`${what}: refused`)
    }
    nanoseconds.push(Number(process.hrtime.bigint() - startedAt) / PER_ROUND)
  }
  nanoseconds.sort((left, right) => left - right)
  const median = nanoseconds[ROUNDS >> 1] ?? 0
  const best = nanoseconds[0] ?? 0
  process.stdout.write(`${what}: ${median.toFixed(0)} ns (best ${best.toFixed(0)})\n`)
}

function requestOf(bytes: number): Buffer {
  const lines = [
    'GET /api/v1/query/documents?limit=20&offset=40 HTTP/1.1',
    'Host: gateway.example.com',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'Accept: application/json',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate, br',
    'Connection: keep-alive',
    'X-Request-ID: 5f0c6f7e-3a51-4c3f-9a7e-1d2c3b4a5968',
    'Origin: https://app.example.com',
    'Content-Type: application/json',
  ]
  const text = `${lines.join('\r\n')}\r\nAuthorization: Bearer `
  return Buffer.from(`${text.padEnd(bytes - 4, 'x')}\r\n\r\n`)
}
