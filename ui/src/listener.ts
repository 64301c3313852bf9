import type { Problem, Told } from './wire.ts'

const TOKEN = 'nyro-admin-token'
const RETRY_MS = 1_000
/** Something comes every second: after so long of nothing the connection is taken for dead. */
const SILENCE_MS = 5_000

export type Answer<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly status: number; readonly problem: Problem }
  | { readonly kind: 'unreachable' }

/** For this tab only, and gone with it. */
export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token)
}

export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN)
}

function credentials(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN)
  return token === null ? {} : { Authorization: `Bearer ${token}` }
}

/** Asks the operator listener; a body goes as JSON. */
export async function ask<T>(method: string, path: string, body: object | null = null): Promise<Answer<T>> {
  const json = body === null ? {} : { 'Content-Type': 'application/json' }
  try {
    const response = await fetch(path, {
      method,
      headers: { ...credentials(), ...json },
      body: body === null ? null : JSON.stringify(body),
    })
    const value = await response.json()
    if (response.ok) return { kind: 'done', value: value as T }
    return { kind: 'refused', status: response.status, problem: value as Problem }
  } catch {
    return { kind: 'unreachable' }
  }
}

export interface Watcher {
  /** `begin`: everything that is kept; what was shown before is void. */
  told(kind: 'begin' | 'second', told: Told): void
  lost(): void
  /** The token is missing or wrong. */
  locked(): void
}

/** Follows the gateway's events until stopped, over restarts. EventSource could not send the token. */
export function follow(watcher: Watcher): () => void {
  const ended = new AbortController()
  void followOn(watcher, ended.signal)
  return () => ended.abort()
}

async function followOn(watcher: Watcher, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    const silence = new AbortController()
    const isLocked = await followOnce(watcher, AbortSignal.any([ended, silence.signal]), silence).catch(
      () => false,
    )
    if (ended.aborted) return
    if (isLocked) {
      watcher.locked()
      return
    }
    watcher.lost()
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

/** True: a token is needed. */
async function followOnce(watcher: Watcher, signal: AbortSignal, silence: AbortController): Promise<boolean> {
  let timer = setTimeout(() => silence.abort(), SILENCE_MS)
  try {
    const response = await fetch('/events', { headers: credentials(), signal, cache: 'no-store' })
    if (response.status === 401) return true
    if (!response.ok || response.body === null) return false
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return false
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE_MS)
      const events = (rest + value).split('\n\n')
      rest = events.pop() ?? ''
      for (const event of events) take(event, watcher)
    }
  } finally {
    clearTimeout(timer)
  }
}

function take(event: string, watcher: Watcher): void {
  const [, kind, data] = /^event: (begin|second)\ndata: (.*)$/s.exec(event) ?? []
  if (data !== undefined) watcher.told(kind === 'begin' ? 'begin' : 'second', JSON.parse(data) as Told)
}
