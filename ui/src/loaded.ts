import { useEffect, useState } from 'preact/hooks'
import { ask } from './listener.ts'

/** What a GET gives, asked again whenever the config's version is another or the gateway is back; null until then. */
export function useLoaded<T>(path: string, version: number | null, isLive: boolean): T | null {
  const [loaded, setLoaded] = useState<T | null>(null)
  useEffect(() => {
    if (!isLive) return
    let isOver = false
    void ask<T>('GET', path).then((answer) => {
      if (!isOver && answer.kind === 'done') setLoaded(answer.value)
    })
    return () => {
      isOver = true
    }
  }, [path, version, isLive])
  return loaded
}
