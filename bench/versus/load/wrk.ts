import { join } from 'node:path'
import { run } from '../child.ts'
import { HERE, type Stand } from '../stand.ts'

export const CONNECTIONS = 64

export interface Load {
  readonly tokenFile: string
  /** Null: its tokens are used over and over. A number: there are so many, and none may come twice. */
  readonly distinct: number | null
  readonly seconds: number
}

/** What wrk's client side saw. */
export interface LoadResult {
  readonly requests: number
  readonly durationUs: number
  /** Heads included. */
  readonly bytes: number
  /** Answers with a status other than 2xx and 3xx. */
  readonly refused: number
  /** Errors of the sockets, and timeouts. */
  readonly broken: number
  readonly p50Us: number
  readonly p99Us: number
}

export async function runWrk(stand: Stand, port: number, load: Load): Promise<LoadResult> {
  const url = `http://127.0.0.1:${port}/`
  const script = join(HERE, 'load/load.lua')
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${load.seconds}s`, '-s', script, url, '--']
  // wrk looks at its clock only once it has had an answer: a peer that gives none must be cut off.
  const out = await run(
    {
      name: 'wrk',
      command: 'wrk',
      args: [...args, load.tokenFile],
      env: {},
      cores: stand.cores.load,
      directory: stand.directory,
    },
    (load.seconds + 20) * 1000,
  )
  const line = /^LOAD (.*)$/m.exec(out)?.[1]
  if (line === undefined) throw new Error(`wrk printed no summary: ${out.slice(-400)}`)
  return JSON.parse(line)
}
