/**
 * Fills NODE_COMPILE_CACHE while the image is built: runs the gateway once, set up by a file so that the YAML and schema
 * libraries are in it, until it is ready, and stops it. Exits with the gateway's own status, 1 if it did not get ready.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const DEADLINE_MS = 30_000

const CONFIG = `
listen: { host: 127.0.0.1, port: 0 }
admin: { port: 0 }
workers: 1
shutdown: { timeout: 10s }
identity: { jwt: [{ name: bake, secret: "\${BAKE_SECRET}", algorithms: [HS256] }] }
upstreams: { none: { endpoints: ["http://127.0.0.1:9"] } }
routes: [{ name: none, match: { path: "/none/*" }, upstream: none }]
`

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'nyro')
const folder = mkdtempSync(join(tmpdir(), 'nyro-bake-'))
const config = join(folder, 'nyro.yaml')
writeFileSync(config, CONFIG)

const gateway = spawn(launcher, ['start', '--config', config], {
  cwd: folder,
  env: { ...process.env, BAKE_SECRET: randomBytes(48).toString('base64url') },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const deadline = setTimeout(() => gateway.kill('SIGKILL'), DEADLINE_MS)

let log = ''
let isReady = false
gateway.stdout.setEncoding('utf8').on('data', (text: string) => {
  log += text
  const port = /"port":(\d+)/.exec(log)?.[1]
  if (isReady || port === undefined) return
  isReady = true
  // One answered request compiles what answers them; functions that never ran are not in the cache.
  void fetch(`http://127.0.0.1:${port}/none/x`).then((response) => {
    process.stdout.write(`compiled into ${process.env['NODE_COMPILE_CACHE']}, answering ${response.status}\n`)
    gateway.kill('SIGTERM')
  })
})
gateway.once('exit', (code) => {
  clearTimeout(deadline)
  rmSync(folder, { recursive: true, force: true })
  if (!isReady) process.stderr.write(log)
  process.exitCode = isReady ? (code ?? 1) : 1
})
