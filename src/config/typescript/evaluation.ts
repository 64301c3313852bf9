import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { ModuleFault } from './module-fault.ts'
import type { Foreign } from './plain-data.ts'
import type { ThreadOrder, ThreadWord } from './thread.ts'

export interface EvaluationOrder {
  /** Absolute path of the module. */
  readonly path: string
  /** What the module sees as its environment: a copy. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** A thread that has not come to an end by then is killed. */
  readonly timeLimitMs: number
}

export interface Evaluation {
  readonly ending: Ending
  /** What the module printed, line by line, bounded. */
  readonly printed: readonly string[]
  /** Absolute paths of the operator's modules that were loaded, the given one first. */
  readonly files: readonly string[]
}

export type Ending =
  | { readonly kind: 'value'; readonly value: unknown; readonly foreign: readonly Foreign[] }
  | { readonly kind: 'no default' }
  | { readonly kind: 'fault'; readonly fault: ModuleFault }
  /** The time was over. */
  | { readonly kind: 'late' }
  /** It ended before it had a value: by `process.exit`, or waiting for what nothing settles. */
  | { readonly kind: 'ended' }
  /** It was ended: out of memory, or an error outside of its evaluation. */
  | { readonly kind: 'broken'; readonly text: string }

const ENTRY = new URL(`./thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** Advice of the runtime on packages and on what it calls experimental: nothing an operator could act on here. */
const QUIET = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--disable-warning=ExperimentalWarning']

/** A config is data: one that takes more than this is none. MiB. */
const MOST_MEMORY_MIB = 512

/** How long a thread that has said its value may take to end by itself, printing what it has left. */
const GRACE_MS = 200

const MOST_PRINTED_LINES = 20

/** Evaluates a module in a thread that lives no longer than this takes; never rejects. */
export function evaluateModule({ path, env, timeLimitMs }: EvaluationOrder): Promise<Evaluation> {
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(ENTRY, {
    workerData: { path, port: port2 } satisfies ThreadOrder,
    transferList: [port2],
    name: 'config',
    env: { ...env },
    execArgv: QUIET,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MIB },
  })
  let ending: Ending | null = null
  let text = ''
  const files = new Set([path])
  const kill = (): void => {
    worker.terminate()
  }
  let timer = setTimeout(() => {
    ending ??= { kind: 'late' }
    kill()
  }, timeLimitMs)
  for (const stream of [worker.stdout, worker.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      if (text.length < 64 * 1024) text += piece
    })
  }
  const hear = (word: ThreadWord): void => {
    if (word.kind === 'file') {
      files.add(word.path)
      return
    }
    ending ??= word
    clearTimeout(timer)
    timer = setTimeout(kill, GRACE_MS)
  }
  port1.on('message', hear)
  worker.on('error', (error) => {
    if (ending?.kind !== 'late')
      ending = { kind: 'broken', text: error instanceof Error ? error.message : String(error) }
  })
  return new Promise((resolve) => {
    worker.on('exit', () => {
      // What was said last may not have been delivered yet.
      for (let rest = receiveMessageOnPort(port1); rest !== undefined; rest = receiveMessageOnPort(port1)) {
        hear(rest.message)
      }
      port1.close()
      clearTimeout(timer)
      resolve({ ending: ending ?? { kind: 'ended' }, printed: linesOf(text), files: [...files] })
    })
  })
}

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length <= MOST_PRINTED_LINES) return lines
  return [...lines.slice(0, MOST_PRINTED_LINES), `… and ${lines.length - MOST_PRINTED_LINES} lines more`]
}
