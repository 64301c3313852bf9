import type { RouteConfig, UpstreamConfig } from '../../src/config/config.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { routeTo } from '../support/config-part.ts'
import { Origin, type Reply, type Script } from '../support/origin.ts'
import type { RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { PlaneStage, planeConfig, upstreamConfig } from '../worker/open-plane.ts'

/** A gateway in this process between a client and a scripted origin, and its clock. */
export interface Stage {
  readonly plane: PlaneStage
  readonly origin: Origin
  readonly client: RawClient
  /** Lets time pass, and the wheel see it. */
  pass(ms: number): Promise<void>
}

export interface Settings {
  readonly upstream?: Partial<UpstreamConfig>
  readonly route?: Partial<RouteConfig>
}

export async function staged(
  script: Script,
  { upstream = {}, route = {} }: Settings,
  use: (stage: Stage) => Promise<void>,
): Promise<void> {
  let passedMs = 0
  const clock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() + passedMs }
  await using origin = await Origin.start(script)
  const config = planeConfig(origin.url, {
    upstreams: [upstreamConfig(origin.url, upstream)],
    routes: [routeTo('orders', '/open/*', 'none', route)],
  })
  await using plane = await PlaneStage.open(config, clock)
  using client = await plane.connect()
  const pass = async (ms: number): Promise<void> => {
    passedMs += ms
    // The wheel looks at the clock every 50 ms; whatever is due has ended by the third time.
    const startMs = performance.now()
    await until('three looks at the clock', () => performance.now() - startMs > 160)
  }
  await use({ plane, origin, client, pass })
}

/** The newest reply is in the test's hands. */
export function held(): { readonly script: Script; reply(): Promise<Reply> } {
  const replies: Reply[] = []
  return {
    script: async (_, reply) => {
      replies.push(reply)
      await reply.gone
    },
    reply: () => until('the request to arrive', () => replies.at(-1)),
  }
}
