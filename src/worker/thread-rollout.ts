import type { RolloutAnswer, RolloutMessage } from './messages.ts'
import type { Preparation } from './preparation.ts'

/** What a rollout needs of the data plane that serves meanwhile. */
export interface RolloutPlane {
  prepare(message: RolloutMessage & { readonly kind: 'prepare' }): Promise<Preparation>
  putInForce(preparation: Preparation, upstreams: (RolloutMessage & { kind: 'commit' })['upstreams']): void
}

/** A data thread's side of putting a config in force: prepares it piece by piece beside the one that serves. */
export class ThreadRollout {
  readonly #plane: RolloutPlane
  readonly #say: (answer: RolloutAnswer) => void
  /** Of what was last begun and not dropped. */
  #version = 0
  #preparation: Preparation | null = null

  constructor(plane: RolloutPlane, say: (answer: RolloutAnswer) => void) {
    this.#plane = plane
    this.#say = say
  }

  take(message: RolloutMessage): void {
    if (message.kind === 'prepare') {
      void this.#begin(message)
      return
    }
    if (message.version !== this.#version || this.#preparation === null) return
    switch (message.kind) {
      case 'routes':
        this.#add(this.#preparation, message)
        return
      case 'commit':
        this.#plane.putInForce(this.#preparation, message.upstreams)
        this.#forget()
        return
      case 'drop':
        this.#forget()
    }
  }

  async #begin(message: RolloutMessage & { readonly kind: 'prepare' }): Promise<void> {
    const { version } = message
    this.#version = version
    this.#preparation = null
    try {
      const preparation = await this.#plane.prepare(message)
      if (version !== this.#version) return
      this.#preparation = preparation
      this.#say({ kind: 'next', version })
    } catch (error) {
      this.#fail(version, error)
    }
  }

  #add(preparation: Preparation, message: RolloutMessage & { readonly kind: 'routes' }): void {
    const { version, text, isLast } = message
    try {
      preparation.add(text)
      if (isLast) preparation.finish()
    } catch (error) {
      this.#fail(version, error)
      return
    }
    this.#say({ kind: isLast ? 'prepared' : 'next', version })
  }

  #fail(version: number, error: unknown): void {
    if (version !== this.#version) return
    this.#forget()
    this.#say({ kind: 'failed', version, reason: error instanceof Error ? error.message : String(error) })
  }

  #forget(): void {
    this.#version = 0
    this.#preparation = null
  }
}
