import type { ServerResponse } from 'node:http'
import type { StartTimer } from '../start-timer.ts'
import type { FiguresView } from './figures-view.ts'
import { KEPT_SECONDS } from './second-ring.ts'

/** Browsers that look on at once; a thousand more are turned away at the price of a refusal each. */
const MAX_STREAMS = 32
/** A reader that has left more than this unread is let go: it begins anew when it can. */
const MAX_UNREAD_BYTES = 1 << 20
const SECOND_MS = 1_000
/** Data threads tell of a second just after it is over. */
const SLACK_MS = 200
/** Sent again with every second: a thread that was busy tells late. */
const SETTLING_SECONDS = 3

export interface EventStreamsOptions {
  readonly view: FiguresView
  /** What the page shows besides figures: small, and made once a second for all streams. */
  readonly state: () => object
  readonly wallMs: () => number
  readonly startTimer: StartTimer
}

/**
 * The live page's server-sent events: everything that is kept when a stream begins, then each second what is new.
 * From control's memory alone; without streams nothing runs.
 */
export class EventStreams {
  readonly #options: EventStreamsOptions
  readonly #streams = new Set<ServerResponse>()
  #cancelNext: (() => void) | null = null
  /** The last failure that every stream has been told of. */
  #toldFailure = 0

  constructor(options: EventStreamsOptions) {
    this.#options = options
  }

  /** Begins a stream; false if there are too many. */
  open(response: ServerResponse): boolean {
    if (this.#streams.size >= MAX_STREAMS) return false
    if (this.#streams.size === 0) this.#toldFailure = this.#newest
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      Connection: 'close',
    })
    response.on('close', () => this.#forget(response))
    response.on('error', () => {})
    response.write(eventText('begin', this.#beginning()))
    this.#streams.add(response)
    if (this.#cancelNext === null) this.#tellLater()
    return true
  }

  /** Tells of the state at once: it has changed in a way that must not wait. */
  tell(): void {
    if (this.#streams.size === 0) return
    const text = eventText('second', this.#second())
    for (const response of this.#streams) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
      else response.write(text)
    }
  }

  close(): void {
    this.#cancelNext?.()
    this.#cancelNext = null
    for (const response of this.#streams) response.end()
    this.#streams.clear()
  }

  #tellLater(): void {
    const { wallMs, startTimer } = this.#options
    const delayMs = SECOND_MS - ((wallMs() - SLACK_MS) % SECOND_MS)
    this.#cancelNext = startTimer(delayMs, () => {
      this.#cancelNext = null
      if (this.#streams.size === 0) return
      this.tell()
      this.#tellLater()
    })
  }

  #forget(response: ServerResponse): void {
    this.#streams.delete(response)
    if (this.#streams.size > 0) return
    this.#cancelNext?.()
    this.#cancelNext = null
  }

  #beginning(): object {
    const { view, state } = this.#options
    const failures = view.failuresAfter(0).filter(({ number }) => number <= this.#toldFailure)
    return { figures: view.seconds(this.#lastWhole, KEPT_SECONDS), failures, state: state() }
  }

  #second(): object {
    const { view, state } = this.#options
    const failures = view.failuresAfter(this.#toldFailure)
    this.#toldFailure = failures.at(-1)?.number ?? this.#toldFailure
    return { figures: view.seconds(this.#lastWhole, SETTLING_SECONDS), failures, state: state() }
  }

  get #newest(): number {
    return this.#options.view.failuresAfter(0).at(-1)?.number ?? 0
  }

  get #lastWhole(): number {
    return Math.floor((this.#options.wallMs() - SLACK_MS) / SECOND_MS) - 1
  }
}

function eventText(event: string, data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
