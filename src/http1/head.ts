/** Offsets kept per field in `Head.fields`: name start, name end, value start, value end (OWS trimmed), name hash. */
export const FIELD_STRIDE = 5

/**
 * A parsed request or response head: one latin1 string and offsets into it. Nothing else becomes a string until
 * somebody asks. Re-used from a pool, so whoever keeps anything beyond the exchange copies it.
 */
export class Head {
  /** The start-line and fields as received, CRLFs included, without the empty line that ends them. */
  text = ''
  /** FIELD_STRIDE numbers a field, in order of arrival; offsets into `text`. */
  fields = new Int32Array(FIELD_STRIDE * 24)
  count = 0

  /** HTTP/1.x: 0 or 1. */
  minor = 1
  /** Requests: offsets into `text`. The target as received; `pathStart..pathEnd` is its path without the query. */
  methodEnd = 0
  targetStart = 0
  targetEnd = 0
  /** For absolute-form the path starts after the authority; an empty path there has pathStart === pathEnd. */
  pathStart = 0
  pathEnd = 0
  /** Requests: where the authority that counts stands: the target's in absolute-form, else the Host field's. -1: none (HTTP/1.0). */
  hostStart = -1
  hostEnd = -1
  /** Responses. */
  status = 0
  reasonStart = 0
  reasonEnd = 0

  /** Content-Length, or -1. Never set together with `chunked`. */
  contentLength = -1
  /** It is written with leading zeros, which some readers take for octal: to be written anew. */
  paddedLength = false
  /** Transfer-Encoding is exactly `chunked`. */
  chunked = false
  /** What Connection says about persistence, the version's default applied (RFC 9112 section 9.3). */
  keepAlive = true
  /** The Connection field nominates `upgrade` and an Upgrade field is there. */
  upgrade = false
  /** Expect: 100-continue (ignored in HTTP/1.0). */
  expectContinue = false
  /** A Connection field with a member other than close, keep-alive and upgrade is there. */
  nominates = false

  /** Parser's own: how far it got in a head that arrived in pieces, and state within it (parse-state.ts). */
  scanned = 0
  stage = 0
  /** Bytes of empty lines skipped before the start-line; offsets into `text` count from after them. */
  lead = 0
  /** Bits: which fields with a meaning for framing were seen, and what they asked for. */
  seen = 0
  hosts = 0

  /** The first value of a field, by exact lower-case name; null if absent. */
  get(lowerCaseName: string): string | null {
    const index = this.find(lowerCaseName, 0)
    return index < 0 ? null : this.value(index)
  }

  /** The index of the first field of that name from index `from` on, or -1. */
  find(lowerCaseName: string, from: number): number {
    const { fields, text } = this
    const length = lowerCaseName.length
    for (let index = from; index < this.count; index++) {
      const at = index * FIELD_STRIDE
      const start = fields[at] as number
      if ((fields[at + 1] as number) - start !== length) continue
      if (equalsFolded(text, start, lowerCaseName)) return index
    }
    return -1
  }

  name(index: number): string {
    const at = index * FIELD_STRIDE
    return this.text.slice(this.fields[at], this.fields[at + 1])
  }

  value(index: number): string {
    const at = index * FIELD_STRIDE
    return this.text.slice(this.fields[at + 2], this.fields[at + 3])
  }

  get method(): string {
    // The commonest one without making a string: it is asked for several times a request.
    if (this.methodEnd === 3 && this.text.startsWith('GET')) return 'GET'
    return this.text.slice(0, this.methodEnd)
  }

  get target(): string {
    return this.text.slice(this.targetStart, this.targetEnd)
  }

  /** As received, without the query; nothing decoded. */
  get path(): string {
    return this.pathStart === this.pathEnd ? '/' : this.text.slice(this.pathStart, this.pathEnd)
  }

  get host(): string {
    return this.hostStart < 0 ? '' : this.text.slice(this.hostStart, this.hostEnd)
  }
}

function equalsFolded(text: string, start: number, lowerCaseName: string): boolean {
  for (let index = 0; index < lowerCaseName.length; index++) {
    let code = text.charCodeAt(start + index)
    if (code >= 65 && code <= 90) code |= 32
    if (code !== lowerCaseName.charCodeAt(index)) return false
  }
  return true
}
