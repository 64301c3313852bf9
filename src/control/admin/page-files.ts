import { fork } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { type AdminAnswer, adminProblem } from './admin-answer.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Everything from the listener itself, nothing inline, nobody's frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

const ASSET = /^\/assets\/[\w.-]+$/
const BUILD_MS = 60_000

/** Where the page is: built beside the code, as the package has it, or in a checkout, which has its sources too. */
const BUILT = join(import.meta.dirname, '..', '..', 'ui')
const ROOT = join(import.meta.dirname, '..', '..', '..')
const SOURCES = join(ROOT, 'ui')
const BUILT_FROM_SOURCES = join(ROOT, 'dist', 'ui')

/** The live page as files: read when first asked for, and in a checkout built first where its sources are newer. */
export class PageFiles {
  #files: Promise<ReadonlyMap<string, AdminAnswer>> | null = null

  /** Whether a path is the page's, which is known before it is built. */
  has(path: string): boolean {
    return path === '/' || ASSET.test(path)
  }

  async answer(path: string): Promise<AdminAnswer> {
    try {
      this.#files ??= loadFiles()
      return (await this.#files).get(path) ?? adminProblem(404)
    } catch (error) {
      this.#files = null
      const reason = error instanceof Error ? error.message : String(error)
      return adminProblem(503, {}, { detail: `The live page is not built: ${reason}. Run npm run build.` })
    }
  }
}

async function loadFiles(): Promise<ReadonlyMap<string, AdminAnswer>> {
  const folder = await builtFolder()
  const files = new Map([['/', fileAnswer(join(folder, 'index.html'))]])
  for (const name of readdirSync(join(folder, 'assets'))) {
    files.set(`/assets/${name}`, fileAnswer(join(folder, 'assets', name)))
  }
  return files
}

function fileAnswer(path: string): AdminAnswer {
  const extension = extname(path)
  const isPage = extension === '.html'
  const fields = {
    'Content-Type': TYPES[extension] ?? 'application/octet-stream',
    // Assets are named by what they hold.
    'Cache-Control': isPage ? 'no-cache' : 'public, max-age=31536000, immutable',
    ...(isPage ? { 'Content-Security-Policy': POLICY, 'Referrer-Policy': 'no-referrer' } : {}),
  }
  return { status: 200, fields, body: readFileSync(path, 'utf8') }
}

async function builtFolder(): Promise<string> {
  if (existsSync(join(BUILT, 'index.html'))) return BUILT
  if (!isStale()) return BUILT_FROM_SOURCES
  const folder = mkdtempSync(join(ROOT, '.build-ui-'))
  try {
    await build(folder)
    mkdirSync(dirname(BUILT_FROM_SOURCES), { recursive: true })
    rmSync(BUILT_FROM_SOURCES, { recursive: true, force: true })
    renameSync(folder, BUILT_FROM_SOURCES)
    return BUILT_FROM_SOURCES
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isStale(): boolean {
  const page = join(BUILT_FROM_SOURCES, 'index.html')
  if (!existsSync(page)) return true
  const builtMs = statSync(page).mtimeMs
  return readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).some(
    (name) => statSync(join(SOURCES, name)).mtimeMs > builtMs,
  )
}

/** In a process of its own: a bundler is none of the gateway's, and takes a second of both cores. */
function build(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(join(SOURCES, 'build.ts'), [folder], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), BUILD_MS)
    let complaint = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2_000)
    })
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      if (code === 0) resolve()
      else reject(new Error(complaint.trim() === '' ? `the build ended with ${code}` : complaint.trim()))
    })
  })
}
