import type { RewriteConfig } from '../config/config.ts'

const SLASH = 47

/** What is taken off the front of a path, and what is put there: both empty or `/a/b` without a slash at the end. */
export interface PathRewrite {
  readonly strip: string
  readonly add: string
}

/** Null where the path stays as it is. */
export function compileRewrite(config: RewriteConfig | null): PathRewrite | null {
  if (config === null) return null
  const rewrite = { strip: withoutSlash(config.stripPrefix), add: withoutSlash(config.addPrefix) }
  return rewrite.strip === '' && rewrite.add === '' ? null : rewrite
}

/**
 * text[start, end), of which text[start, pathEnd) is the path, with the path rewritten: literally, on segment
 * boundaries, nothing decoded, what follows the path untouched. A path left empty becomes `/`; one that does not begin
 * with what is to be stripped loses nothing.
 */
export function rewritten(
  text: string,
  start: number,
  pathEnd: number,
  end: number,
  { strip, add }: PathRewrite,
): string {
  const after = start + strip.length
  const isWithin =
    after <= pathEnd &&
    text.startsWith(strip, start) &&
    (after === pathEnd || text.charCodeAt(after) === SLASH)
  const rest = isWithin ? after : start
  return `${add}${add === '' && rest === pathEnd ? '/' : ''}${text.slice(rest, end)}`
}

function withoutSlash(prefix: string): string {
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
}
