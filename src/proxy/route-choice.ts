import type { Exchange } from './exchange.ts'
import type { RouteChoice, RouteTarget } from './route.ts'

/** What is drawn among. */
interface Weighted {
  readonly upstream: { random(): number }
  readonly weight: number
}

/** Draws one by weight; the only one is not drawn. */
export function pickChoice<Choice extends Weighted>(choices: readonly Choice[]): Choice {
  const first = choices[0] as Choice // a target has at least one
  if (choices.length === 1) return first
  let total = 0
  for (const { weight } of choices) total += weight
  let left = first.upstream.random() * total
  for (const choice of choices) {
    left -= choice.weight
    if (left < 0) return choice
  }
  return first
}

/** Draws which of the route's upstreams an exchange goes to, once for all its tries. */
export function drawChoice(exchange: Exchange, { choices }: RouteTarget): RouteChoice {
  const choice = pickChoice(choices)
  exchange.choice = choice
  if (choices.length > 1) exchange.upstream = choice.upstream.name
  return choice
}
