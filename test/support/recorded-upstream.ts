import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Field } from './message.ts'
import { echo, type Reply, response, type Script, type Seen } from './origin.ts'
import { chunked } from './raw-client.ts'

const JSON_TYPE: Field = ['Content-Type', 'application/json']
const TEXT_TYPE: Field = ['Content-Type', 'text/plain']

const REASONS: Readonly<Record<string, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  307: 'Temporary Redirect',
  400: 'Bad Request',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
  504: 'Gateway Timeout',
}

/** What the upstream of the recordings does by path: `/t/<name>/<argument>`, anywhere below the route. */
const BEHAVIOURS: Readonly<
  Record<string, (seen: Seen, reply: Reply, argument: string) => void | Promise<void>>
> = {
  status: (_, reply, code) => reply.write(statusAnswer(code)),
  slow: async (_, reply, seconds) => {
    await waitFor(reply, seconds)
    await reply.write(response('200 OK', [JSON_TYPE], '{"slow":true}'))
  },
  stall: async (_, reply, seconds) => {
    await reply.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\npart')
    await waitFor(reply, seconds)
    await reply.write('rest')
  },
  gzip: (seen, reply) => {
    const coded: Field[] = [JSON_TYPE, ['Content-Encoding', 'gzip'], ['Vary', 'Accept-Encoding']]
    return reply.write(response('200 OK', coded, gzipSync(JSON.stringify({ target: seen.target }))))
  },
  reqid: (_, reply) =>
    reply.write(response('200 OK', [JSON_TYPE, ['X-Request-ID', 'of-the-upstream']], '{}')),
  plaincookie: (_, reply) =>
    reply.write(response('200 OK', [JSON_TYPE, ['Set-Cookie', 'session=tenantA-secret; Path=/']], '{"c":1}')),
  trailers: (_, reply) =>
    reply.write(
      Buffer.concat([
        Buffer.from(
          'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n',
        ),
        chunked(['data'], [['X-Sum', '4']]),
      ]),
    ),
  'eof-body': (_, reply) => reply.end('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil close'),
  hop: (_, reply) => {
    const hop: Field[] = [
      JSON_TYPE,
      ['Server', 'echo/1.0'],
      ['Date', 'Tue, 01 Jan 2030 00:00:00 GMT'],
      ['Connection', 'keep-alive, X-Hop'],
      ['Keep-Alive', 'timeout=5'],
      ['X-Hop', '1'],
      ['Proxy-Authenticate', 'Basic'],
      ['X-Powered-By', 'echo'],
      ['X-Keep', 'yes'],
    ]
    return reply.write(response('200 OK', hop, '{}'))
  },
  case: (_, reply) => {
    const mixed: Field[] = [
      ['Content-Type', 'text/html'],
      ['X-MiXeD-CaSe', 'v'],
      ['X-Empty', ''],
    ]
    return reply.write(response('200 OK', mixed, '<p>'))
  },
  latin1: (_, reply) => reply.write(response('200 OK', [JSON_TYPE, ['X-Name', 'Se\u00f1or']], '{}')),
  utf8hdr: (_, reply) => {
    const name = Buffer.from('Se\u00f1or \u20ac').toString('latin1')
    return reply.write(response('200 OK', [JSON_TYPE, ['X-Name', name]], '{}'))
  },
  cors: (_, reply) => {
    const own: Field[] = [
      JSON_TYPE,
      ['Access-Control-Allow-Origin', 'https://upstream.example'],
      ['Access-Control-Allow-Credentials', 'false'],
      ['Vary', 'Accept'],
    ]
    return reply.write(response('200 OK', own, '{}'))
  },
  early: (_, reply) => reply.write(response('413 Request Entity Too Large', [TEXT_TYPE], 'too large\n')),
  big: (seen, reply, length) => {
    const whole = response('200 OK', [TEXT_TYPE], Buffer.alloc(Number(length), 'b'))
    return reply.write(seen.method === 'HEAD' ? whole.subarray(0, whole.indexOf('\r\n\r\n') + 4) : whole)
  },
  'close-no-response': (_, reply) => reply.end(),
  garbage: (_, reply) => reply.end('this is not HTTP\r\n\r\n'),
  'close-mid-body-cl': (_, reply) =>
    reply.end('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\npartial-body'),
  'close-mid-body-chunked': (_, reply) =>
    reply.end(
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nc\r\npartial-body\r\n',
    ),
}

/** Echoes, unless the path names a behaviour. */
export const recordedUpstream: Script = (seen, reply) => {
  const match = /\/t\/([\w-]+)(?:\/([\w.]+))?$/.exec(seen.target)
  const behave = BEHAVIOURS[match?.[1] ?? '']
  return behave === undefined ? echo(seen, reply) : behave(seen, reply, match?.[2] ?? '')
}

function statusAnswer(code: string): string | Buffer {
  if (code === '204') return 'HTTP/1.1 204 No Content\r\nX-Up: 1\r\nETag: "abc"\r\n\r\n'
  const start = `${code} ${REASONS[code] ?? 'Unnamed'}`
  if (code.startsWith('3'))
    return response(start, [['Location', 'http://127.0.0.1:19101/elsewhere']], 'moved')
  return response(start, [JSON_TYPE], `{"upstream_status": ${code}}`)
}

/** A service that takes its time, but not longer than anyone listens. */
async function waitFor(reply: Reply, seconds: string): Promise<void> {
  const over = new AbortController()
  void reply.gone.then(() => over.abort())
  await pause(Number(seconds) * 1000, null, { signal: over.signal }).catch(() => {})
}
