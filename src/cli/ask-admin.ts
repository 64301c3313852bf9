import { type Arguments, optionValue } from './arguments.ts'
import type { ProcessEdge } from './process-edge.ts'

const DEFAULT_URL = 'http://127.0.0.1:9901'
/** As long as the operator listener takes over an answer. */
const PATIENCE_MS = 60_000

/** What the operator listener answered, or why it did not, in words. */
export type AdminReply = { readonly body: unknown; readonly fault: null } | { readonly fault: string }

/** Asks the operator listener that `--admin` names; GATEWAY_ADMIN_TOKEN is sent along. Never rejects. */
export async function askAdmin(
  edge: ProcessEdge,
  given: Arguments,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: object | null },
): Promise<AdminReply> {
  const base = (optionValue(given, 'admin') ?? DEFAULT_URL).replace(/\/+$/, '')
  const token = edge.env['GATEWAY_ADMIN_TOKEN']
  try {
    const response = await fetch(base + path, {
      method,
      headers: {
        ...(body === null ? {} : { 'Content-Type': 'application/json' }),
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: body === null ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    })
    const text = await response.text()
    const answer: unknown = text === '' ? null : JSON.parse(text)
    if (response.ok) return { body: answer, fault: null }
    return { fault: `${base} answered ${response.status}${detailOf(answer)}${remedyFor(response.status)}` }
  } catch (error) {
    return { fault: `the operator listener at ${base} cannot be asked: ${reasonOf(error)}` }
  }
}

function detailOf(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null || !('detail' in answer)) return ''
  return typeof answer.detail === 'string' ? `: ${answer.detail}` : ''
}

function remedyFor(status: number): string {
  return status === 401 ? '; set GATEWAY_ADMIN_TOKEN' : ''
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
