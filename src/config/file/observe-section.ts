import type { LogConfig, TracingConfig } from '../config.ts'
import { fieldName, fieldValue } from './match-format.ts'
import type { LogDocument, TracingDocument } from './observe-schema.ts'
import type { Path, Report } from './report.ts'

/** What access lines say by themselves. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  ...['timestamp', 'level', 'logger', 'event', 'request_id', 'trace_id', 'method', 'path', 'status_code'],
  ...['duration', 'slow', 'company_id', 'subject', 'client_ip', 'route', 'upstream', 'target', 'code'],
  ...['shadow', 'bytes_in', 'bytes_out', 'aborted'],
])

const FIELD_NAME = /^[a-z_][\w.-]{0,63}$/i

/** The exporter's own. */
const EXPORT_FIELDS: ReadonlySet<string> = new Set([
  ...['connection', 'content-encoding', 'content-length', 'content-type', 'host', 'transfer-encoding'],
])

/** Rules within `log` and `tracing`. `apiKeyField`: the field that API keys come in; null where there are none. */
export function checkObserved(
  log: LogDocument,
  tracing: TracingDocument | undefined,
  apiKeyField: string | null,
  report: Report,
): void {
  for (const [name, added] of Object.entries(log.fields.add)) {
    const path = ['log', 'fields', 'add', name]
    if (OWN_FIELDS.has(name)) reportOwnField(path, report)
    else if (!FIELD_NAME.test(name)) {
      report.problem(path, {
        found: 'is no name for a field of a log line',
        expected: 'a letter or _, then letters, digits and _ . - only, at most 64',
        remedy: 'Rename it.',
        end: 'key',
      })
    }
    if ('header' in added && added.header === apiKeyField?.toLowerCase()) {
      report.problem(path, {
        found: 'names the field that API keys come in',
        expected: 'a field without a credential',
        remedy: 'Remove it: credentials are never logged.',
      })
    }
  }
  for (const [name, value] of Object.entries(tracing?.headers ?? {})) {
    checkExportField(['tracing', 'headers', name], name, value, report)
  }
}

function reportOwnField(path: Path, report: Report): void {
  report.problem(path, {
    found: 'is a field that access lines have already',
    expected: 'another name',
    remedy: 'Rename it; `log.fields.redact` leaves fields out.',
    end: 'key',
  })
}

function checkExportField(path: Path, name: string, value: string, report: Report): void {
  if (!fieldName.parse(name).fits || EXPORT_FIELDS.has(name.toLowerCase())) {
    report.problem(path, {
      found: 'is no field that can be sent with an export',
      expected: 'a field name such as Authorization',
      remedy: 'Rename or remove it.',
      end: 'key',
    })
  }
  if (value === '' || fieldValue.parse(value).fits) return
  report.problem(path, {
    found: 'is a text that cannot stand in a field (not shown)',
    expected: fieldValue.accepts,
    remedy: 'Correct it.',
  })
}

/** `resolve`: makes a path absolute. */
export function logConfigOf(
  { level, access, output, fields, sampleSuccesses, slowerThan }: LogDocument,
  resolve: (path: string) => string,
): LogConfig {
  return {
    level,
    access,
    output: typeof output === 'string' ? output : { file: resolve(output.file) },
    fields: {
      add: Object.entries(fields.add).map(([name, added]) => ({ name, ...added })),
      redact: [...new Set(fields.redact)],
    },
    sampleSuccesses,
    slowerThanMs: slowerThan,
  }
}

export function tracingConfigOf(document: TracingDocument | undefined): TracingConfig | null {
  if (document === undefined) return null
  const { endpoint, sample, serviceName } = document
  // An empty value is what an unset variable leaves: nothing is sent.
  const headers = Object.entries(document.headers).filter(([, value]) => value !== '')
  return { endpoint, sample, headers: headers.map(([name, value]) => ({ name, value })), serviceName }
}
