import { readFileSync } from 'node:fs'

/** The package's name, which its own package.json is known by. */
export const NAME = 'nyro-gateway'

/** The running product's version: read once, from the nearest package.json of that name above this file (`src/` or `dist/`). */
export const VERSION = loadVersion(new URL('.', import.meta.url))

function loadVersion(folder: URL): string {
  for (let at = folder; ; at = new URL('..', at)) {
    const version = readVersion(new URL('package.json', at))
    if (version !== null) return version
    if (at.pathname === '/') throw new Error(`no package.json of ${NAME} above ${folder.pathname}`)
  }
}

function readVersion(file: URL): string | null {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return null
  }
  const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown }
  return name === NAME && typeof version === 'string' ? version : null
}
