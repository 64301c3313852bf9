import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Gateway, type LogLine } from './gateway.ts'
import type { Origin } from './origin.ts'
import { askOnce, request } from './raw-client.ts'
import { SECRET } from './token.ts'
import { until } from './until.ts'

/** The setting that has the secret of tests. */
const SHARED = '${SHARED}'

/** Files of a gateway with one route, whose log is so. */
export function fileConfig(
  origin: Origin,
  log: object,
  auth: 'none' | 'required' = 'none',
): { readonly files: Readonly<Record<string, string>> } {
  const config = {
    ...(auth === 'required' && { identity: { jwt: [{ secret: SHARED, algorithms: ['HS256'] }] } }),
    log,
    upstreams: { orders: { endpoints: [origin.url] } },
    routes: [{ name: 'orders', match: { path: '/orders/*' }, upstream: 'orders', auth }],
  }
  return { files: { 'nyro.json': JSON.stringify(config) } }
}

/** A gateway whose lines go to a file: nothing of it is on standard output, so its port is told by the file. */
export class FileGateway {
  readonly process: Gateway
  readonly path: string
  port = 0

  constructor(process: Gateway, path: string) {
    this.process = process
    this.path = path
  }

  static async start(
    origin: Origin,
    log: object,
    path: string,
    auth: 'none' | 'required' = 'none',
  ): Promise<FileGateway> {
    const process = new Gateway(
      { GATEWAY_CONFIG: 'nyro.json', SHARED: SECRET },
      fileConfig(origin, log, auth),
    )
    const started = new FileGateway(process, path.startsWith('/') ? path : join(process.directory, path))
    const listening = await until(
      'the gateway to listen',
      () => {
        if (!process.running) throw new Error(process.output)
        return started.lines().find(({ event }) => event === 'Gateway listening')
      },
      30_000,
    )
    started.port = listening.port ?? 0
    return started
  }

  lines(path = this.path): readonly LogLine[] {
    let text = ''
    try {
      text = readFileSync(path, 'latin1')
    } catch {
      return []
    }
    const whole = text.split('\n').slice(0, -1)
    return whole.map((line) => JSON.parse(line) as LogLine)
  }

  async ask(id: string, path = '/orders/1'): Promise<number> {
    return (await askOnce(this.port, request('GET', path, [['X-Request-ID', id]]))).status
  }

  /** Waits until the file has the access line of a request. */
  access(id: string): Promise<LogLine> {
    return until(`the line of ${id}`, () => this.lines().find((line) => line.request_id === id))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]()
  }
}
