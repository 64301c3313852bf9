import type { FiguresView } from '../live/figures-view.ts'
import type { ReloadRecord } from '../live/reload-record.ts'
import { type AdminResource, adminJson, READING } from './admin-answer.ts'
import { refusedMember } from './json-body.ts'

/** `GET /tenants`: the busiest of the last minute. */
export function tenantsResource(tenants: () => readonly object[]): AdminResource {
  return { methods: READING, answer: () => adminJson(200, { windowS: 60, tenants: tenants() }) }
}

/** `GET /failures`: the last two hundred, oldest first. */
export function failuresResource(view: FiguresView): AdminResource {
  return { methods: READING, answer: () => adminJson(200, { failures: view.failuresAfter(0) }) }
}

/** `GET /config/difference`: what the last reload changed, or why it was refused; `last` is null before the first. */
export function differenceResource(record: ReloadRecord): AdminResource {
  return { methods: READING, answer: () => adminJson(200, { last: record.last }) }
}

/** `POST /drain`: begins to shut down in order, as SIGTERM does. */
export function drainResource(drain: () => void): AdminResource {
  return {
    methods: ['POST'],
    answer(body) {
      const refusal = refusedMember(body)
      if (refusal !== null) return refusal
      drain()
      return adminJson(202, { status: 'draining' })
    },
  }
}
