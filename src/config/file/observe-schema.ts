import { z } from 'zod'
import { choice, filePath, line } from '../format.ts'
import { choiceLeaf, durationOrOff, flagLeaf, leaf, secretText, section, shareLeaf, text } from './leaf.ts'
import { addedField, collectorUrl } from './observe-format.ts'

const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const
const REDACTED = ['client_ip', 'company_id', 'subject', 'path'] as const

const fields = section({
  add: z
    .record(
      z.string(),
      leaf<string, { readonly value: string } | { readonly header: string }>(addedField, {
        secrecy: 'never',
      }),
    )
    .prefault({})
    .meta({
      description:
        'Fields that every access line has besides, by name: a text, or the first value of a request field, such as ' +
        '`agent: header:User-Agent`, cut at 256 characters.',
    }),
  redact: z
    .array(choiceLeaf(choice(REDACTED), REDACTED))
    .prefault([])
    .meta({
      description: 'Fields that are left out of access lines, debug lines and spans.',
    }),
})

export const logSchema = section({
  level: choiceLeaf(choice(LEVELS), LEVELS)
    .prefault('info')
    .meta({ description: 'The least level that is logged. `GATEWAY_LOG_LEVEL` wins.' }),
  access: flagLeaf.prefault(true).meta({ description: 'One line per finished exchange.' }),
  output: z
    .union([
      choiceLeaf(choice(['stdout']), ['stdout']),
      section({
        file: text(filePath).meta({
          description: 'A file that lines are appended to; opened again on SIGUSR1, after a rotation.',
        }),
      }),
    ])
    .prefault('stdout')
    .meta({ accepts: 'stdout, or file: <path>', description: 'Where all lines go.' }),
  fields: fields.prefault({}).meta({ description: 'What access lines say.' }),
  sampleSuccesses: shareLeaf.prefault('100%').meta({
    description:
      'The share of access lines that is written of exchanges that succeeded: a status below 400, no failure, not ' +
      'aborted, not slow. All others always have theirs.',
  }),
  slowerThan: durationOrOff(1).prefault('off').meta({
    description:
      'An exchange that took at least so long has `"slow":true` in its line. Tunnels are never slow.',
  }),
})

export const tracingSchema = section({
  endpoint: text<`http://${string}` | `https://${string}` | `\${${string}`>(collectorUrl).meta({
    description: 'The collector spans are sent to by OTLP over HTTP, as JSON.',
  }),
  sample: shareLeaf.prefault('1%').meta({
    description:
      'The share of exchanges whose trace is kept. Where a trusted proxy names the parent, its sampled flag decides.',
  }),
  headers: z.record(z.string(), secretText).prefault({}).meta({
    description: 'Sent with every export, by name: what the collector wants to see, such as an API key.',
  }),
  serviceName: text(line).prefault('nyro-gateway').meta({ description: '`service.name` of all spans.' }),
})

export type LogDocument = z.output<typeof logSchema>
export type TracingDocument = z.output<typeof tracingSchema>
