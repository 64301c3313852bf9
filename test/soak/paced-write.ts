import type { Socket } from 'node:net'
import type { Draw } from './draw.ts'

/**
 * Writes bytes in as many pieces as there are cuts and one, apart from each other in time, so that they arrive in
 * reads of their own. `done` is called once all are written; never, if the socket ends before.
 */
export function writePaced(socket: Socket, bytes: Buffer, cuts: number, draw: Draw, done: () => void): void {
  if (cuts === 0 || bytes.length < 2) {
    socket.write(bytes)
    done()
    return
  }
  const places: number[] = []
  // Many cuts go to the beginning, where the head is: in a body one place is like another.
  const span = cuts > 10 ? Math.min(bytes.length, 600) : bytes.length
  for (let cut = 0; cut < cuts; cut++) places.push(1 + draw.below(span - 1))
  places.sort((a, b) => a - b)
  places.push(bytes.length)
  const waits = draw.chance(0.1)
  let at = 0
  let next = 0
  const step = (): void => {
    if (socket.destroyed) return
    const end = places[next++] ?? bytes.length
    if (end > at) socket.write(bytes.subarray(at, end))
    at = end
    if (at === bytes.length) done()
    else if (waits && next === 1) setTimeout(step, 2)
    else setImmediate(step)
  }
  step()
}
