import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from './child.ts'
import { countedRequests } from './count.ts'
import type { SecondRead } from './load/page-reader.ts'
import type { Peer } from './peer/peer.ts'
import { freePort, HERE, type Stand } from './stand.ts'

/** Share of the traces that a traced gateway is told to keep. */
export const SAMPLED = 0.01
/** Control looks for spans each 5 s; then they have to be sent. */
const EXPORT_MS = 5_400
/** From the end of a second until the page shows it, of which it waits a fifth of one for the threads. */
const SHOWN_WITHIN_MS = 1_000

/** What a watcher saw, and how that falls short of what it had to see. */
export interface Watched {
  readonly name: string
  readonly words: string
  readonly faults: readonly string[]
}

/** Takes a gateway's traces. */
export class Collector {
  readonly url: string
  readonly #child: Child

  private constructor(child: Child, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}/v1/traces`
  }

  static async start(stand: Stand): Promise<Collector> {
    const port = await freePort()
    const child = startWatcher(stand, 'collector', port)
    await child.ready(port)
    return new Collector(child, port)
  }

  async saw(peer: Peer): Promise<Watched> {
    await delay(EXPORT_MS)
    const traced = linesOf(this.#child).reduce((sum, line) => sum + Number(line), 0)
    const requests = await countedRequests(peer)
    // They are drawn one by one: five standard deviations are no chance.
    const spread = 5 * Math.sqrt(requests * SAMPLED * (1 - SAMPLED))
    const isRight = traced > 0 && Math.abs(traced - requests * SAMPLED) <= spread
    const share = ((100 * traced) / requests).toFixed(2)
    return watched('collector', `${traced} traces of ${requests} requests: ${share}%`, isRight)
  }
}

/** Holds a gateway's live page open. */
export class PageReader {
  readonly #child: Child

  constructor(stand: Stand, { adminPort }: Peer) {
    this.#child = startWatcher(stand, 'page-reader', adminPort)
  }

  /** `seconds`: for how many at least the gateway was under load. */
  saw(seconds: number): Watched {
    const firstRead = new Map<number, number>()
    let openedMs = Number.POSITIVE_INFINITY
    for (const line of linesOf(this.#child)) {
      const { second, requests, readMs }: SecondRead = JSON.parse(line)
      openedMs = Math.min(openedMs, readMs)
      // What was over before the page was opened it shows as what it is.
      if ((second + 1) * 1_000 <= openedMs) continue
      if (requests > 0 && !firstRead.has(second)) firstRead.set(second, readMs)
    }
    const { size } = firstRead
    const late = [...firstRead].filter(([second, readMs]) => readMs > (second + 1) * 1_000 + SHOWN_WITHIN_MS)
    // One may be a neighbour's doing, whatever the number of rounds.
    const isRight = this.#child.alive && size >= seconds && late.length <= 1 + 0.05 * size
    return watched('live page', `${size} seconds under load, ${late.length} of them late`, isRight)
  }
}

/** Scrapes a gateway once a second. */
export class Scraper {
  readonly #child: Child
  readonly #beganMs = performance.now()

  constructor(stand: Stand, { adminPort }: Peer) {
    this.#child = startWatcher(stand, 'scraper', adminPort)
  }

  saw(): Watched {
    const pages = linesOf(this.#child).length
    const seconds = (performance.now() - this.#beganMs) / 1_000
    const isRight = this.#child.alive && pages >= 0.9 * seconds
    return watched('scraper', `${pages} pages in ${seconds.toFixed(0)} s`, isRight)
  }
}

function startWatcher(stand: Stand, name: string, port: number): Child {
  const args = [join(HERE, 'load', `${name}.ts`), String(port)]
  return stand.start({ name, command: process.execPath, args, env: {}, cores: stand.cores.load })
}

function watched(name: string, words: string, isRight: boolean): Watched {
  return { name, words, faults: isRight ? [] : [`${name}: ${words}`] }
}

function linesOf({ stdout }: Child): string[] {
  const lines = stdout.read().split('\n')
  lines.pop()
  return lines
}
