/** A response the gateway makes itself and does not call a failure: own endpoints, preflights, docs. */
export interface Answer {
  readonly kind: 'answer'
  readonly status: number
  /** Complete field lines, each ending in CRLF, latin1; without Content-Length, Date and the fields every response carries. */
  readonly fields: string
  /** Empty for a status that has none. HEAD requests get its length only. */
  readonly body: Buffer
}

export function answer(status: number, fields: string, body: Buffer | string): Answer {
  return { kind: 'answer', status, fields, body: typeof body === 'string' ? Buffer.from(body) : body }
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return answer(status, 'Content-Type: application/json\r\n', JSON.stringify(value))
}
