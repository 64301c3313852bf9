import { isUtf8 } from 'node:buffer'

/** The JSON object these bytes spell in valid UTF-8, or null. Of duplicate names the last counts (RFC 7519 section 4). */
export function parseJsonObject(bytes: Buffer): object | null {
  if (!isUtf8(bytes)) return null // decoding would put U+FFFD and two different tokens would read alike
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    return null
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
}
