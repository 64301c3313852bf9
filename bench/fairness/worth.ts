import { createServer } from 'node:http'

/** A service worth 400 requests a second: sixteen places, forty milliseconds each, and a queue of its own without end. */
const PLACES = 16
const SERVICE_MS = 40

let free = PLACES
const waiting: (() => void)[] = []

function enter(serve: () => void): void {
  if (free === 0) {
    waiting.push(serve)
    return
  }
  free--
  serve()
}

function leave(): void {
  const next = waiting.shift()
  if (next === undefined) free++
  else next()
}

createServer({ keepAliveTimeout: 75_000 }, (_request, response) => {
  enter(() => {
    setTimeout(() => {
      leave()
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"ok":true}')
    }, SERVICE_MS)
  })
}).listen(Number(process.env['PORT']), '127.0.0.1')
