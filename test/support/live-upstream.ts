import type { Config } from '../../src/config/config.ts'
import { SlotBook } from '../../src/control/slot-book.ts'
import { UpstreamRoster } from '../../src/control/upstream-roster.ts'
import type { LiveUpstream } from '../../src/upstreams/live-upstream.ts'
import { ENDPOINT_SLOTS, UPSTREAM_SLOTS } from '../../src/upstreams/upstream-memory.ts'

function book(capacity: number): SlotBook {
  return new SlotBook(capacity, { isIdle: () => true, reset: () => {}, ask: () => 0, answered: () => 0 })
}

/** A config's upstreams as control would tell a thread of them: endpoints are addresses, or names that stay unknown. */
export function liveUpstreams({ upstreams }: Pick<Config, 'upstreams'>): readonly LiveUpstream[] {
  const roster = UpstreamRoster.open(upstreams, {
    upstreamSlots: book(UPSTREAM_SLOTS),
    endpointSlots: book(ENDPOINT_SLOTS),
    addressesOf: () => null,
    overflowed: () => {},
  })
  return roster?.live ?? []
}
