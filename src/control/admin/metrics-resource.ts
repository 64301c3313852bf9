import { EXPOSITION_TYPES, pickFormat } from '../../metrics/exposition.ts'
import { type MetricsSource, metricsPage } from '../metrics-page.ts'
import { type AdminResource, READING } from './admin-answer.ts'

/** `GET /metrics`: Prometheus text, or OpenMetrics where the scraper asks for it. */
export function metricsResource(source: MetricsSource): AdminResource {
  return {
    methods: READING,
    answer(_body, _method, accept = '') {
      const format = pickFormat(accept)
      return {
        status: 200,
        fields: { 'Content-Type': EXPOSITION_TYPES[format], Vary: 'Accept' },
        body: metricsPage(source, format),
      }
    },
  }
}
