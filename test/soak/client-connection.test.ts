import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { ClientConnection } from './client-connection.ts'
import { type Plan, planOf } from './plan.ts'

const SEED = 1

/** The first plan of the seed that uploads a sized body in pieces and whose connection goes on. */
function pacedPlan(): Plan {
  for (let number = 0; ; number++) {
    const plan = planOf(SEED, number)
    const calm = plan.upstreamFault === 'none' && plan.clientFault === 'none' && !plan.expect
    if (
      calm &&
      plan.minor === 1 &&
      plan.connection === null &&
      plan.request.bytes > 500 &&
      plan.requestCuts > 2
    )
      return plan
  }
}

// A refusal may overtake the rest of an upload. A client that then begins its next request puts that request's bytes
// into the body that is still owed, and whoever reads them is right to refuse what follows.
test('a request answered before it was sent whole is sent whole before the next one', async () => {
  const plan = pacedPlan()
  const refusal = `HTTP/1.1 502 Bad Gateway\r\nX-Request-ID: ${plan.nonce}\r\nContent-Length: 0\r\n\r\n`
  let received = ''
  let socket: Socket | null = null
  const server = createServer((accepted) => {
    socket = accepted
    accepted.on('error', () => {})
    accepted.on('data', (data) => {
      if (received === '') accepted.write(refusal)
      received += data.toString('latin1')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number } // it listens on TCP
  try {
    const settled: string[] = []
    const bytesWhenFree = await new Promise<number>((resolve) => {
      const connection: ClientConnection = new ClientConnection({
        seed: SEED,
        port,
        tokenOf: () => null,
        settled: (_, ending) => void settled.push(ending),
        free: () => {
          connection.send([{ ...plan, number: plan.number + 1, requestCuts: 0 }])
          resolve(0)
        },
        gone: () => resolve(-1),
      })
      connection.send([plan])
    })
    assert.equal(bytesWhenFree, 0, `gone: ${settled}`)
    const second = (): number => received.indexOf(' HTTP/1.1\r\n', received.indexOf(' HTTP/1.1\r\n') + 1)
    while (second() < 0) await new Promise((resolve) => setImmediate(resolve))
    const bodyAt = received.indexOf('\r\n\r\n') + 4
    const nextAt = received.lastIndexOf(`${plan.method} /`)
    const length = Number(/content-length: *(\d+)/i.exec(received)?.[1] ?? Number.NaN)
    assert.equal(nextAt - bodyAt, length)
  } finally {
    ;(socket as Socket | null)?.destroy()
    server.close()
  }
})
