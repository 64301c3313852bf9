import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJsonObject } from '../../jwt/json-object.ts'
import { type PublicJwk, readJwkSet } from '../../jwt/jwk.ts'

const FORMAT = 1
const MAX_BYTES = 2 << 20
/** Anybody's but the owner's right to write. */
const FOREIGN_WRITE = 0o022

export interface StoredKeys {
  /** Where they were fetched from: another place's keys are not these. */
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly fetchedAtMs: number
  readonly jwks: readonly PublicJwk[]
}

/** Keeps the last good keys across restarts, by the issuer's name. */
export interface KeyStore {
  /** Null where there are none that may be believed. */
  load(issuer: string): Promise<StoredKeys | null>
  /** Rejects with Node's error. */
  save(issuer: string, stored: StoredKeys): Promise<void>
}

/**
 * A file an issuer in this folder, which is made where it is missing. The files decide who is believed: they are only
 * the owner's to read or write, are replaced whole, and one that others can write, or that is damaged, counts as none.
 */
export function folderKeyStore(folder: string): KeyStore {
  return {
    async load(issuer) {
      const bytes = await readOwn(fileOf(folder, issuer))
      return bytes === null ? null : parse(bytes, issuer)
    },
    async save(issuer, { url, fetchedAtMs, jwks }) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const keys = jwks.map(({ kid, alg, key }) => ({
        ...key,
        ...(kid === null ? {} : { kid }),
        ...(alg === null ? {} : { alg }),
      }))
      const text = JSON.stringify({ format: FORMAT, issuer, url, fetchedAtMs, jwks: { keys } })
      await replaceFile(fileOf(folder, issuer), text)
    },
  }
}

/** Names may hold anything; digests of them cannot leave the folder. */
function fileOf(folder: string, issuer: string): string {
  return join(folder, `keys-${createHash('sha256').update(issuer).digest('hex').slice(0, 32)}.json`)
}

async function readOwn(path: string): Promise<Buffer | null> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch {
    return null
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile() || stat.size > MAX_BYTES || (stat.mode & FOREIGN_WRITE) !== 0) return null
    return await file.readFile()
  } catch {
    return null
  } finally {
    await file.close()
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomUUID()}`
  try {
    const file = await open(fresh, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.datasync() // before the rename: after a power cut there is the old file or the new one, never an empty one
    } finally {
      await file.close()
    }
    await rename(fresh, path)
  } catch (error) {
    await unlink(fresh).catch(() => {})
    throw error
  }
}

function parse(bytes: Buffer, name: string): StoredKeys | null {
  // Type assertion: each member is judged before it is believed.
  const stored = parseJsonObject(bytes) as Readonly<Record<string, unknown>> | null
  if (stored === null) return null
  const { format, issuer, url, fetchedAtMs } = stored
  if (format !== FORMAT || issuer !== name || typeof url !== 'string') return null
  if (typeof fetchedAtMs !== 'number' || !Number.isFinite(fetchedAtMs)) return null
  const jwks = readJwkSet(stored['jwks'])
  return jwks === null ? null : { url, fetchedAtMs, jwks }
}
