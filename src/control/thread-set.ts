import type { GateMessage } from '../admission/admission-message.ts'
import type { Clock } from '../lib/clock.ts'
import type { ThreadSecond } from '../observe/second-tally.ts'
import type {
  ControlMessage,
  IdentityAnswer,
  RolloutAnswer,
  ThreadBirth,
  ThreadMessage,
} from '../worker/messages.ts'
import type { DataThread, Death, StartDataThread } from './data-thread.ts'
import type { LogWriter } from './log-writer.ts'
import type { PublicPort } from './public-port.ts'
import { RestartPace } from './restart-pace.ts'
import { StartRefusal } from './start-refusal.ts'
import type { StartTimer } from './start-timer.ts'
import type { SpanRelay } from './tracing/span-relay.ts'

/** How long a thread told to end may take before it is ended, and then before it is left behind. */
const END_GRACE_MS = 250

export interface ThreadSetOptions {
  readonly rows: number
  /** What a thread of that row is to know if it is born now. */
  readonly birth: (row: number) => ThreadBirth
  /** Where they listen. */
  readonly port: Pick<PublicPort, 'listen' | 'drawAgain' | 'release'>
  /** The row's thread is gone: gives back what it held for the process. */
  readonly reclaim: (row: number) => void
  /** What a rollout has to know of threads. */
  readonly follower: ThreadFollower
  /** What ended in a thread within a second. */
  readonly takeSecond: (second: ThreadSecond) => void
  /** A thread of that row asks for a key, or has taken over what is revoked. */
  readonly identity: (row: number, message: IdentityAnswer) => void
  /** A thread of that row speaks of exchanges that wait to be let into an upstream. */
  readonly gate: (row: number, message: GateMessage) => void
  readonly startThread: StartDataThread
  readonly log: LogWriter
  /** Told of a ring of spans that fills. */
  readonly spans: Pick<SpanRelay, 'hurry'>
  readonly clock: Clock
  readonly startTimer: StartTimer
}

export interface ThreadFollower {
  /** A thread started with what `birth` gave; it takes messages from now on. */
  born(row: number): void
  died(row: number): void
  answered(row: number, answer: RolloutAnswer): void
}

type Phase = 'starting' | 'listening' | 'drained' | 'dead'

/** The row whose thread listens before the others do: until it does, they can all still be told another port. */
const FIRST = 0

interface Place {
  readonly row: number
  readonly pace: RestartPace
  phase: Phase
  /** The latest question it answered, or was born after. */
  answered: number
  /** Null between a death and the replacement. */
  thread: DataThread | null
  cancelRestart: (() => void) | null
}

/** The data threads, one a row: started together, replaced when they die, closed and ended together. */
export class ThreadSet {
  readonly #options: ThreadSetOptions
  readonly #places: readonly Place[]
  /** Threads that died and were not told to end. */
  deaths = 0
  #question = 0
  /** A thread listened: the port is what they share from now on. */
  #isSettled = false
  #mode: 'starting' | 'serving' | 'closing' | 'ending' = 'starting'
  /** Settles what `start`, `close` or `end` waits for; each awaits its own phase of all threads. */
  readonly #started = Promise.withResolvers<void>()
  readonly #drained = Promise.withResolvers<void>()
  readonly #dead = Promise.withResolvers<void>()

  constructor(options: ThreadSetOptions) {
    this.#options = options
    this.#places = Array.from({ length: options.rows }, (_, row) => ({
      row,
      pace: new RestartPace(),
      phase: 'dead',
      answered: 0,
      thread: null,
      cancelRestart: null,
    }))
  }

  /** Threads that take connections. */
  get listening(): number {
    return this.#places.filter((place) => place.phase === 'listening').length
  }

  /** Resolves once all listen. Rejects with StartRefusal if one of them cannot, or dies before. */
  start(): Promise<void> {
    for (const place of this.#places) this.#startThread(place)
    return this.#started.promise
  }

  /** Tells every living thread; those that come later learn it at birth. */
  post(message: ControlMessage): void {
    for (const place of this.#places) place.thread?.post(message)
  }

  /** Tells one thread; nobody if it is dead. */
  postTo(row: number, message: ControlMessage): void {
    this.#places[row]?.thread?.post(message)
  }

  /** Rows with a living thread. */
  get living(): readonly number[] {
    return this.#places.filter(({ thread }) => thread !== null).map(({ row }) => row)
  }

  /** Asks every living thread to answer once it has done all it was told before; gives the question's number. */
  ask(): number {
    this.#question += 1
    this.post({ kind: 'ask', question: this.#question })
    return this.#question
  }

  /** The latest question that every living thread has answered; one born since then need not. */
  get answered(): number {
    const living = this.#places.filter(({ thread }) => thread !== null)
    return Math.min(this.#question, ...living.map(({ answered }) => answered))
  }

  /** Has the listeners closed; resolves when no thread has anything left to do. Nobody is replaced from now on. */
  close(): Promise<void> {
    this.#leave('closing')
    this.post({ kind: 'close' })
    this.#settle()
    return this.#drained.promise
  }

  /** Ends every thread, whatever it does; resolves when they are gone, or after twice the grace. */
  async end(): Promise<void> {
    const { startTimer } = this.#options
    this.#leave('ending')
    this.post({ kind: 'end' })
    this.#settle()
    const cancelKill = startTimer(END_GRACE_MS, () => {
      for (const place of this.#places) place.thread?.kill()
    })
    const cancelWait = startTimer(2 * END_GRACE_MS, this.#dead.resolve)
    await this.#dead.promise
    cancelKill()
    cancelWait()
  }

  #leave(mode: 'closing' | 'ending'): void {
    this.#mode = mode
    this.#options.port.release()
    for (const place of this.#places) place.cancelRestart?.()
  }

  #startThread(place: Place): void {
    const { birth, startThread, log } = this.#options
    place.cancelRestart = null
    place.phase = 'starting'
    place.answered = this.#question
    place.thread = startThread(birth(place.row), {
      said: (message) => this.#said(place, message),
      printed: (stream, text) => log.log('error', 'Output past the log', { row: place.row, stream, text }),
      died: (death) => this.#died(place, death),
    })
    this.#options.follower.born(place.row)
    if (this.#isSettled || place.row === FIRST) place.thread.post(this.#options.port.listen)
  }

  #said(place: Place, message: ThreadMessage): void {
    switch (message.kind) {
      case 'listening':
        this.#listens(place)
        return
      case 'taken':
        void this.#taken(place)
        return
      case 'refused':
        this.#refused(place, message.reason)
        return
      case 'drained':
        place.phase = 'drained'
        this.#settle()
        return
      case 'answered':
        place.answered = message.question
        return
      case 'gate':
        this.#options.gate(place.row, message.message)
        return
      case 'next':
      case 'prepared':
      case 'failed':
        this.#options.follower.answered(place.row, message)
        return
      case 'second':
        this.#options.takeSecond(message.second)
        return
      case 'unknown-kid':
      case 'revocations-applied':
        this.#options.identity(place.row, message)
        return
      case 'lines':
        this.#options.log.drain()
        return
      case 'spans':
        this.#options.spans.hurry()
    }
  }

  #listens(place: Place): void {
    place.phase = 'listening'
    if (!this.#isSettled) {
      this.#isSettled = true
      for (const { row, thread } of this.#places) if (row !== FIRST) thread?.post(this.#options.port.listen)
    }
    this.#settle()
  }

  /** One that replaces another is tried again later, as long as that takes: nobody knows another port. */
  async #taken(place: Place): Promise<void> {
    const { port } = this.#options
    if (this.#isSettled) return this.#refused(place, 'another process holds the port')
    try {
      await port.drawAgain()
    } catch (error) {
      return this.#refused(place, error instanceof Error ? error.message : String(error))
    }
    place.thread?.post(port.listen)
  }

  #refused(place: Place, reason: string): void {
    this.#started.reject(new StartRefusal(reason))
    if (this.#mode === 'serving') {
      this.#options.log.log('error', 'Data thread refused to start', { row: place.row, reason })
    }
    place.thread?.kill()
  }

  #died(place: Place, death: Death): void {
    const { log, reclaim, follower } = this.#options
    const wasDrained = place.phase === 'drained'
    place.thread = null
    place.phase = 'dead'
    reclaim(place.row)
    log.drain()
    follower.died(place.row)
    this.#started.reject(new StartRefusal(`a data thread died before it listened: ${death.reason}`))
    if (this.#mode !== 'ending' && !wasDrained) this.#report(place, death)
    if (this.#mode === 'serving') this.#replaceLater(place)
    this.#settle()
  }

  #report(place: Place, death: Death): void {
    const { reason, stack } = death
    this.deaths++
    this.#options.log.log('error', 'Data thread died', {
      row: place.row,
      reason,
      ...(stack === null ? {} : { stack }),
    })
  }

  #replaceLater(place: Place): void {
    const { clock, startTimer, log } = this.#options
    place.cancelRestart = startTimer(place.pace.delayMs(clock.monotonicMs()), () => {
      this.#startThread(place)
      log.log('info', 'Data thread replaced', { row: place.row })
    })
  }

  /** Resolves what the present mode waits for, if it has come. */
  #settle(): void {
    switch (this.#mode) {
      case 'starting':
        if (!this.#all('listening')) return
        this.#mode = 'serving'
        this.#started.resolve()
        return
      case 'closing':
        if (this.#all('drained', 'dead')) this.#drained.resolve()
        return
      case 'ending':
        if (this.#all('dead')) this.#dead.resolve()
    }
  }

  #all(...phases: readonly Phase[]): boolean {
    return this.#places.every((place) => phases.includes(place.phase))
  }
}
