import type { LogLevel } from '../../config/config.ts'
import { type AdminResource, adminJson } from './admin-answer.ts'
import { chosenMember } from './json-body.ts'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warning', 'error', 'critical']

/** `GET` and `PUT /log-level`: of all threads, from the next line on, until a config is put in force or a restart. */
export function logLevelResource(level: () => LogLevel, setLevel: (level: LogLevel) => void): AdminResource {
  return {
    methods: ['GET', 'HEAD', 'PUT'],
    answer(body, method) {
      if (method !== 'PUT') return adminJson(200, { level: level() })
      const chosen = chosenMember(body, 'level', LEVELS)
      if (typeof chosen !== 'string') return chosen
      setLevel(chosen)
      return adminJson(200, { level: chosen })
    },
  }
}
