import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../support/until.ts'
import { DevProcess, fetchLikeCurl, LAUNCHER } from './dev-process.ts'

const run = promisify(execFile)
const hasCurl = spawnSync('curl', ['--version']).status === 0

interface Served {
  readonly service: string
  readonly tenant: string | null
  readonly method: string
  readonly body: { readonly bytes: number; readonly preview: string }
  readonly headers: Readonly<Record<string, string>>
}

describe('nyro dev', () => {
  const secret = 'own-secret-that-must-not-be-printed-0123456789'
  let dev: DevProcess
  let ingest = ''
  let search = ''
  let stream = ''
  let login = ''
  let oidc = ''
  let token = ''
  let rotate = ''

  before(async () => {
    dev = new DevProcess({ GATEWAY_JWT_SECRET: secret })
    const commands = await dev.commands()
    ;[ingest = '', search = '', stream = '', login = '', oidc = '', token = '', rotate = ''] = commands
  })

  after(async () => {
    await dev[Symbol.asyncDispose]()
  })

  test('prints an upload that reaches the demo ingest service as the tenant of its token', async () => {
    const response = await fetchLikeCurl(ingest)
    assert.equal(response.status, 200)
    const served = (await response.json()) as Served
    assert.equal(served.service, 'ingest')
    assert.equal(served.method, 'POST')
    assert.equal(served.tenant, 'acme')
    assert.deepEqual([served.body.bytes, served.body.preview], [11, 'Hello, Nyro'])
    assert.equal(served.headers['x-request-id'], response.headers.get('x-request-id'))
  })

  test('prints a query that is answered in JSON', async () => {
    const response = await fetchLikeCurl(search)
    assert.equal(response.status, 200)
    const served = (await response.json()) as Served
    assert.deepEqual([served.service, served.tenant], ['query', 'acme'])
  })

  test('prints a stream that arrives token by token', async () => {
    const response = await fetchLikeCurl(stream)
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    const arrivals: number[] = []
    let text = ''
    for await (const piece of response.body ?? []) {
      arrivals.push(performance.now())
      text += Buffer.from(piece).toString()
    }
    assert.match(text, /event: done\n/)
    assert.ok(arrivals.length > 5, `arrived in ${arrivals.length} pieces`)
    const spreadMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)
    assert.ok(spreadMs > 500, `arrived within ${spreadMs} ms, so something held it back`)
  })

  test('prints a login whose token the gateway then accepts', async () => {
    const response = await fetchLikeCurl(login)
    assert.equal(response.status, 200)
    const { access_token } = (await response.json()) as { readonly access_token: string }
    const command = search.replace(/Bearer [\w.-]+/, `Bearer ${access_token}`)
    assert.notEqual(command, search)
    assert.equal((await fetchLikeCurl(command)).status, 200)
    const forged = search.replace(/Bearer [\w.-]+/, `Bearer ${access_token.slice(0, -8)}AAAAAAAA`)
    assert.equal((await fetchLikeCurl(forged)).status, 401)
  })

  test('prints a query with a token of the OIDC issuer beside it, which the gateway believes', async () => {
    const response = await fetchLikeCurl(oidc)
    assert.equal(response.status, 200)
    assert.equal(((await response.json()) as Served).tenant, 'acme')
  })

  test('believes a token of a new key as soon as the issuer has rotated, and the old ones still', async () => {
    assert.equal((await fetchLikeCurl(rotate)).status, 200)
    const answer = await fetchLikeCurl(token)
    const { access_token } = (await answer.json()) as { readonly access_token: string }
    const command = oidc.replace(/Bearer [\w.-]+/, `Bearer ${access_token}`)
    await until('the new key', async () => (await fetchLikeCurl(command)).status === 200)
    assert.equal((await fetchLikeCurl(oidc)).status, 200)
  })

  test('has an issuer that nyro token mint takes tokens from', async () => {
    const [, url = ''] = /'(http:\S+)\/token'/.exec(token) ?? []
    const mint = ['token', 'mint', '--tenant', 'globex', '--alg', 'RS256', '--issuer', url]
    const { stdout } = await run(LAUNCHER, mint, { cwd: tmpdir() })
    const command = oidc.replace(/Bearer [\w.-]+/, `Bearer ${stdout.trim()}`)
    const response = await fetchLikeCurl(command)
    assert.equal(((await response.json()) as Served).tenant, 'globex')
  })

  test('prints commands that a shell and curl run as they stand', {
    skip: !hasCurl && 'curl is missing',
  }, async () => {
    const results = await Promise.all(
      [ingest, search, stream, login].map((command) => run('sh', ['-c', command])),
    )
    const [first, second, third, fourth] = results.map((result) => result.stdout)
    assert.equal((JSON.parse(first ?? '') as Served).tenant, 'acme')
    assert.equal((JSON.parse(second ?? '') as Served).service, 'query')
    assert.match(third ?? '', /^event: token\n.*\nevent: done\n/s)
    assert.match(fourth ?? '', /"access_token"/)
  })

  test('serves the API pages at the address it prints', async () => {
    const [url = ''] = /http:\S+\/docs/.exec(dev.stdout) ?? []
    const response = await fetch(url)
    assert.equal(response.status, 200)
    assert.match(await response.text(), /swagger-ui/)
  })

  test('ends with 0 on Ctrl-C even while a stream is open, without a trace of an error', async () => {
    const response = await fetchLikeCurl(stream)
    const reader = response.body?.getReader()
    await reader?.read()
    dev.interrupt()
    assert.equal(await dev.exitCode(), 0)
    assert.equal(dev.stderr, '')
    assert.doesNotMatch(dev.stdout, /\n\s+at .*:\d+:\d+/)
    await reader?.cancel().catch(() => {})
  })

  // A terminal's text is recorded, shared and pasted; the secret in it would let any reader sign for any tenant.
  test('has printed the secret nowhere', () => {
    assert.ok(dev.stdout.length > 0)
    assert.ok(!`${dev.stdout}${dev.stderr}`.includes(secret))
  })
})

describe('nyro dev that cannot run', () => {
  async function endOf(
    settings: Readonly<Record<string, string>>,
  ): Promise<{ code: number | null; stderr: string }> {
    await using dev = new DevProcess(settings)
    const code = await dev.exitCode()
    assert.doesNotMatch(dev.stdout, /curl/)
    return { code, stderr: dev.stderr }
  }

  async function holdPort(): Promise<{ server: Server; port: number }> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return { server, port: address !== null && typeof address === 'object' ? address.port : 0 }
  }

  for (const setting of ['GATEWAY_PORT', 'GATEWAY_ADMIN_PORT']) {
    test(`says in one line what to do when ${setting} is in use`, async () => {
      const { server, port } = await holdPort()
      try {
        const { code, stderr } = await endOf({ [setting]: String(port), npm_lifecycle_event: 'dev' })
        assert.equal(code, 1)
        assert.match(stderr, /^nyro: [^\n]+\n$/)
        assert.ok(stderr.includes(String(port)))
        assert.match(stderr, /GATEWAY_PORT=8081 GATEWAY_ADMIN_PORT=9902 npm run dev/)
      } finally {
        server.close()
      }
    })
  }

  test('names every bad setting and exits 2', async () => {
    const { code, stderr } = await endOf({ GATEWAY_PORT: 'http', GATEWAY_QUERY_SERVICE_URL: 'ftp://x' })
    assert.equal(code, 2)
    assert.match(stderr, /GATEWAY_PORT/)
    assert.match(stderr, /GATEWAY_QUERY_SERVICE_URL/)
  })

  test('asks for the public key of an asymmetric algorithm instead of making up a secret', async () => {
    const { code, stderr } = await endOf({ GATEWAY_JWT_ALGORITHM: 'RS256' })
    assert.equal(code, 2)
    assert.match(stderr, /GATEWAY_JWT_SECRET is not set; expected a PEM public key/)
  })

  // Where ENVIRONMENT says production, the secret is the real one, and a login without password would sign with it.
  test('refuses to sign tokens for anyone in production', async () => {
    const { code, stderr } = await endOf({ ENVIRONMENT: 'production' })
    assert.equal(code, 2)
    assert.match(stderr, /ENVIRONMENT=production/)
  })
})
