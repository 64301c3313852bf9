import { createHash } from 'node:crypto'
import { type ByteSource, CutShort, WireError } from './byte-source.ts'

/** A field line as it stood on the wire: its own case, its own place, surrounding blanks trimmed. */
export type Field = readonly [name: string, value: string]

export interface Head {
  readonly startLine: string
  readonly fields: readonly Field[]
}

export type Framing = 'none' | 'content-length' | 'chunked' | 'close'

export interface Body {
  /** The first MiB; all of it counts in `length` and `sha256`. */
  readonly bytes: Buffer
  readonly length: number
  readonly sha256: string
  readonly chunkSizes: readonly number[]
  readonly trailers: readonly Field[]
  /** False when the connection ended before the framing said so. */
  readonly complete: boolean
}

const KEPT_BYTES = 1 << 20

/** Every value of a field, in order, whatever the case of its name. */
export function allValues(fields: readonly Field[], name: string): string[] {
  const wanted = name.toLowerCase()
  return fields.filter(([each]) => each.toLowerCase() === wanted).map(([, value]) => value)
}

/** The only value of a field; null if absent. Two of them are a fault of the test's subject. */
export function onlyValue(fields: readonly Field[], name: string): string | null {
  const values = allValues(fields, name)
  if (values.length > 1) throw new WireError(`${name} stands there ${values.length} times`)
  return values[0] ?? null
}

/** Strict: what a peer of ours may not have sent throws a WireError. */
export function parseHead(text: string): Head {
  const [startLine = '', ...lines] = text.split('\r\n')
  if (startLine === '' || /[\r\n\0]/.test(text.replaceAll('\r\n', '')))
    throw new WireError(`not a head: ${JSON.stringify(text.slice(0, 200))}`)
  return { startLine, fields: lines.map(parseField) }
}

function parseField(line: string): Field {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line)
  if (match === null) throw new WireError(`not a field line: ${JSON.stringify(line.slice(0, 200))}`)
  return [match[1] ?? '', match[2] ?? '']
}

/** The framing RFC 9112 section 6.3 gives a message with these fields; `otherwise` where they say nothing. */
export function framingOf(
  fields: readonly Field[],
  otherwise: 'none' | 'close',
): { framing: Framing; length: number } {
  const coding = onlyValue(fields, 'transfer-encoding')
  const length = onlyValue(fields, 'content-length')
  if (coding !== null && length !== null) throw new WireError('Content-Length with Transfer-Encoding')
  if (coding !== null) {
    if (coding.toLowerCase() !== 'chunked') throw new WireError(`Transfer-Encoding: ${coding}`)
    return { framing: 'chunked', length: -1 }
  }
  if (length === null) return { framing: otherwise, length: otherwise === 'none' ? 0 : -1 }
  if (!/^\d+$/.test(length)) throw new WireError(`Content-Length: ${length}`)
  return { framing: 'content-length', length: Number(length) }
}

/** Reads a body; `onData` may return a promise to read slowly. */
export async function readBody(
  source: ByteSource,
  { framing, length }: { framing: Framing; length: number },
  onData: (chunk: Buffer) => void | Promise<void> = () => {},
): Promise<Body> {
  const hash = createHash('sha256')
  const kept: Buffer[] = []
  let count = 0
  const sink = (chunk: Buffer): void | Promise<void> => {
    hash.update(chunk)
    if (count < KEPT_BYTES) kept.push(Buffer.from(chunk))
    count += chunk.length
    return onData(chunk)
  }
  const chunkSizes: number[] = []
  const trailers: Field[] = []
  let complete = true
  if (framing === 'content-length') complete = await source.take(length, sink)
  if (framing === 'close') await source.take(Number.MAX_SAFE_INTEGER, sink)
  if (framing === 'chunked') complete = await readChunks(source, sink, chunkSizes, trailers)
  return {
    bytes: Buffer.concat(kept).subarray(0, KEPT_BYTES),
    length: count,
    sha256: hash.digest('hex'),
    chunkSizes,
    trailers,
    complete,
  }
}

async function readChunks(
  source: ByteSource,
  sink: (chunk: Buffer) => void | Promise<void>,
  sizes: number[],
  trailers: Field[],
): Promise<boolean> {
  try {
    for (;;) {
      const line = await source.line()
      if (line === null) return false
      if (!/^[0-9A-Fa-f]{1,15}$/.test(line))
        throw new WireError(`a chunk's size line is ${JSON.stringify(line)}`)
      const size = Number.parseInt(line, 16)
      if (size === 0) break
      sizes.push(size)
      if (!(await source.take(size, sink))) return false
      const end = await source.line()
      if (end === null) return false
      if (end !== '') throw new WireError(`a chunk goes on with ${JSON.stringify(end.slice(0, 40))}`)
    }
    for (;;) {
      const line = await source.line()
      if (line === null) return false
      if (line === '') return true
      trailers.push(parseField(line))
    }
  } catch (error) {
    if (error instanceof CutShort) return false
    throw error
  }
}
