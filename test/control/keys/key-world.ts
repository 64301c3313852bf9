import type { Fetched, FetchJson } from '../../../src/control/keys/fetch-json.ts'
import type { KeyWorld } from '../../../src/control/keys/issuer-keys.ts'
import type { KeyStore, StoredKeys } from '../../../src/control/keys/key-store.ts'
import type { LogFields } from '../../../src/observe/log-line.ts'
import { ManualTime } from '../../support/manual-time.ts'

export interface Line extends LogFields {
  readonly level: string
  readonly event: string
}

/** What a run leaves for the next, without a disk. */
export class MemoryStore implements KeyStore {
  readonly kept = new Map<string, StoredKeys>()

  async load(issuer: string): Promise<StoredKeys | null> {
    return this.kept.get(issuer) ?? null
  }

  async save(issuer: string, stored: StoredKeys): Promise<void> {
    this.kept.set(issuer, stored)
  }
}

/** The world as a test wants it, and what was said to it. */
export class TestWorld implements KeyWorld {
  readonly time = new ManualTime()
  readonly clock = this.time
  readonly startTimer = this.time.startTimer
  readonly store: KeyStore | null
  readonly random = (): number => 0
  readonly lines: Line[] = []
  readonly log = {
    log: (level: string, event: string, fields: LogFields): void => {
      this.lines.push({ level, event, ...fields })
    },
  }
  /** URLs, with the moment. */
  readonly asked: { readonly url: string; readonly atMs: number }[] = []
  readonly fetchJson: FetchJson

  constructor(answer: (url: string) => Fetched | Promise<Fetched>, store: KeyStore | null = null) {
    this.store = store
    this.fetchJson = async (url) => {
      this.asked.push({ url, atMs: this.time.nowMs })
      return answer(url)
    }
  }

  get events(): readonly string[] {
    return this.lines.map(({ event }) => event)
  }
}
