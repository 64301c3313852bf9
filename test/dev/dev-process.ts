import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until, within } from '../support/until.ts'

export const LAUNCHER = fileURLToPath(new URL('../../bin/nyro', import.meta.url))

/** Starting shares the machine with other tests. */
const START_MS = 30_000

/** A running `nyro dev`, in an empty directory and with no settings but free ports and what the test gave. */
export class DevProcess {
  stdout = ''
  stderr = ''
  readonly exited: Promise<number | null>
  readonly #child: ChildProcess

  constructor(settings: Readonly<Record<string, string>>) {
    const directory = mkdtempSync(join(tmpdir(), 'nyro-dev-'))
    const { PATH = '', HOME = '' } = process.env
    const ports = { GATEWAY_PORT: '0', GATEWAY_ADMIN_PORT: '0' }
    this.#child = spawn(LAUNCHER, ['dev'], {
      cwd: directory,
      env: { PATH, HOME, GATEWAY_WORKERS: '1', ...ports, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        rmSync(directory, { recursive: true, force: true })
        resolve(code)
      })
    })
  }

  /** The commands of the welcome, once all of it is there. */
  async commands(): Promise<string[]> {
    await until('the welcome', () => this.stdout.includes('Ctrl-C stops it.') || this.#died(), START_MS)
    return this.stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('curl '))
  }

  interrupt(): void {
    this.#child.kill('SIGINT')
  }

  async exitCode(): Promise<number | null> {
    return within('the end of nyro dev', this.exited, START_MS)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }

  #died(): false {
    if (this.#child.exitCode === null) return false
    throw new Error(`nyro dev ended:\n${this.stdout}\n${this.stderr}`)
  }
}

/** The command as a program's arguments: what a POSIX shell makes of plain words and single quotes. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|\\(.)/g, (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? ''),
  )
}

/** Does with fetch what the curl command says, of the options the welcome uses. */
export function fetchLikeCurl(command: string): Promise<Response> {
  const [, ...words] = wordsOf(command)
  const headers = new Headers()
  let url = ''
  let body: string | null = null
  let method: string | null = null
  while (words.length > 0) {
    const word = words.shift() ?? ''
    if (word === '-H') {
      const [name = '', value = ''] = (words.shift() ?? '').split(': ')
      headers.set(name, value)
    } else if (word === '-d' || word === '--data-binary') body = words.shift() ?? ''
    else if (word === '-X') method = words.shift() ?? ''
    else if (word === '-sS' || word === '-sSN') continue
    else url = word
  }
  return fetch(url, {
    method: method ?? (body === null ? 'GET' : 'POST'),
    headers,
    body,
    signal: AbortSignal.timeout(START_MS),
  })
}
