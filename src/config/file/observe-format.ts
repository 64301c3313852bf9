import { type Format, fit, misfit } from '../format.ts'
import { fieldName } from './match-format.ts'

/** Requests carry credentials there: nothing of them belongs in a log. */
const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'sec-websocket-protocol',
])

const MAX_VALUE = 256

/** What every access line says beside its own fields: a text, or a field of the request. */
export const addedField: Format<{ readonly value: string } | { readonly header: string }> = {
  accepts: 'a text, or header:<name> for the first value of a request field',
  parse: (text) => {
    if (!text.startsWith('header:')) {
      return text.length > MAX_VALUE
        ? misfit(`It is longer than ${MAX_VALUE} characters.`)
        : fit({ value: text })
    }
    const name = fieldName.parse(text.slice('header:'.length))
    if (!name.fits) return misfit('Behind `header:` stands no field name.')
    const header = name.value.toLowerCase()
    return CREDENTIAL_FIELDS.has(header)
      ? misfit('Credentials stand there: it is never logged.')
      : fit({ header })
  },
}

/** OTLP over HTTP: the whole URL, as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has it. */
export const collectorUrl: Format<string> = {
  accepts: 'an http:// or https:// URL such as http://collector:4318/v1/traces',
  parse: (text) => {
    const url = /^https?:\/\/[^\s?#@]+$/i.test(text) ? URL.parse(text) : null
    if (url === null) {
      return misfit(text.includes('@') ? 'Credentials are sent with `tracing.headers`.' : null)
    }
    if (url.port === '0') return misfit('Port 0 cannot be connected to.')
    return url.pathname === '/'
      ? misfit('Its path is missing: most collectors take /v1/traces.')
      : fit(url.href)
  },
}
