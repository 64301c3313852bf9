import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** One tenant's requests, sent from a process of its own; what came of them goes to standard output as JSON. */
interface Crowd {
  readonly port: number
  readonly token: string
  readonly seconds: number
  /** `flood`: so many connections, each asking again as soon as it is answered. `steady`: so many a second, answered or not. */
  readonly kind: 'flood' | 'steady'
  readonly count: number
}

export interface CrowdResult {
  readonly answered: number
  /** Anything but a 200. */
  readonly lost: number
  readonly latenciesMs: readonly number[]
}

const crowd: Crowd = JSON.parse(process.env['CROWD'] ?? '{}')
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
const latenciesMs: number[] = []
let lost = 0

function ask(): Promise<boolean> {
  const began = performance.now()
  return new Promise((resolve) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: crowd.port,
        path: '/api/v1/query/work',
        agent,
        headers: { Authorization: `Bearer ${crowd.token}` },
      },
      (response) => {
        response.resume()
        response.on('end', () => {
          const isGood = response.statusCode === 200
          if (isGood) latenciesMs.push(performance.now() - began)
          else lost++
          resolve(isGood)
        })
      },
    )
    asked.on('error', () => {
      lost++
      resolve(false)
    })
    asked.end()
  })
}

async function flood(untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    // A refused client that asks again at once would only measure how fast refusals are.
    if (!(await ask())) await delay(10)
  }
}

async function steady(untilMs: number): Promise<void> {
  const asked: Promise<boolean>[] = []
  const began = performance.now()
  for (let n = 0; ; n++) {
    const atMs = began + (n * 1_000) / crowd.count
    if (atMs >= untilMs) break
    await delay(Math.max(0, atMs - performance.now()))
    asked.push(ask())
  }
  await Promise.all(asked)
}

const untilMs = performance.now() + crowd.seconds * 1_000
if (crowd.kind === 'steady') await steady(untilMs)
else await Promise.all(Array.from({ length: crowd.count }, () => flood(untilMs)))
const result: CrowdResult = { answered: latenciesMs.length, lost, latenciesMs }
process.stdout.write(JSON.stringify(result), () => process.exit(0))
