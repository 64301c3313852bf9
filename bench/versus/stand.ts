import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, type ChildStart } from './child.ts'
import { type Cores, planCores } from './cores.ts'
import { LogFile } from './log-file.ts'

export const HERE = fileURLToPath(new URL('.', import.meta.url))
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What every case stands on: a directory of its own, the cores' plan, the upstream, and all processes, ended with it. */
export class Stand {
  readonly cores: Cores = planCores()
  readonly directory: string = mkdtempSync(join(tmpdir(), 'versus-'))
  readonly #children: Child[] = []
  #started = 0

  /** The name, which its output files bear too, is made unique: one program may run several times. */
  start(start: Omit<ChildStart, 'directory'>): Child {
    this.#started++
    const name = `${start.name}-${this.#started}`
    const child = new Child({ ...start, name, directory: this.directory })
    this.#children.push(child)
    return child
  }

  /** Ends what was started since `mark`, which is what `this.mark` was then. */
  async stopSince(mark: number): Promise<void> {
    await Promise.all(this.#children.splice(mark).map((child) => child.stop()))
  }

  get mark(): number {
    return this.#children.length
  }

  async close(): Promise<void> {
    await this.stopSince(0)
    this.#remove()
  }

  /** For the end of this process, which waits for nothing. */
  kill(): void {
    for (const child of this.#children) child.kill()
    this.#remove()
  }

  /** Fills a committed template's `{{name}}` places; returns the path of the result. */
  fill(template: string, values: Readonly<Record<string, string | number>>): string {
    const text = readFileSync(join(HERE, 'config', template), 'utf8')
    const filled = text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
      const value = values[name]
      if (value === undefined) throw new Error(`${template} asks for ${name}`)
      return String(value)
    })
    const path = join(this.directory, template)
    writeFileSync(path, filled)
    return path
  }

  subdirectory(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path, { recursive: true })
    return path
  }

  file(name: string): string {
    return join(this.directory, name)
  }

  #remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** The nginx behind every peer, and what it saw. */
export interface Upstream {
  readonly port: number
  readonly seen: LogFile
}

export async function startUpstream(stand: Stand): Promise<Upstream> {
  const port = await freePort()
  const seen = new LogFile(stand.file(`upstream-${port}-seen.log`))
  const directory = stand.subdirectory(`upstream-${port}`)
  const config = stand.fill('nginx-upstream.conf', { directory, port, log: seen.path })
  const child = stand.start({
    name: 'upstream',
    command: 'nginx',
    args: ['-c', config],
    env: {},
    cores: stand.cores.load,
  })
  await child.ready(port)
  return { port, seen }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  const address = await new Promise<ReturnType<typeof server.address>>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server.address()))
  })
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
