import type { Config } from '../../config/config.ts'
import { type AdminResource, adminJson, READING } from './admin-answer.ts'

/** `GET /routes`: the table in match order. */
export function routesResource(config: () => Config): AdminResource {
  return {
    methods: READING,
    async answer() {
      const { routeTable } = await import('../../explain/route-table.ts')
      return adminJson(200, { routes: routeTable(config()) })
    },
  }
}
