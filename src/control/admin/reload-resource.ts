import type { ReloadOutcome } from '../reload.ts'
import { type AdminAnswer, type AdminResource, adminJson, adminProblem } from './admin-answer.ts'
import { refusedMember } from './json-body.ts'

/** `POST /config/reload`: loads the config again and says what came of it, all problems included. */
export function reloadResource(reload: () => Promise<ReloadOutcome>): AdminResource {
  return { methods: ['POST'], answer: async (body) => refusedMember(body) ?? answerOf(await reload()) }
}

function answerOf(outcome: ReloadOutcome): AdminAnswer {
  switch (outcome.kind) {
    case 'applied':
      return adminJson(200, { changed: true, changes: outcome.changes })
    case 'unchanged':
      return adminJson(200, { changed: false, changes: [] })
    case 'refused': {
      const detail = 'The config that is running serves on.'
      return adminProblem(422, {}, { detail, problems: outcome.problems })
    }
    case 'draining':
      return adminProblem(409, {}, { detail: 'The gateway is shutting down.' })
  }
}
