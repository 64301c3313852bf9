import type { KeyKeeper } from '../keys/key-keeper.ts'
import { type AdminResource, adminJson, READING } from './admin-answer.ts'

/** `GET /keys`: what is known of each issuer that publishes its keys; names of keys, never a key. */
export function keysResource(
  figures: () => ReturnType<KeyKeeper['figures']>,
  wallMs: () => number,
): AdminResource {
  return {
    methods: READING,
    answer() {
      const issuers = figures().map(({ fetchedAtMs, ...others }) => ({
        ...others,
        fetchedAt: fetchedAtMs === null ? null : new Date(fetchedAtMs).toISOString(),
        ageS: fetchedAtMs === null ? null : Math.max(0, Math.round((wallMs() - fetchedAtMs) / 1_000)),
      }))
      return adminJson(200, { issuers })
    },
  }
}
