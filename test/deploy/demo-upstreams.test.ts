import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ROOT } from '../budgets/tree.ts'
import { freePort } from '../support/free-port.ts'
import { until, within } from '../support/until.ts'
import { STAND_IN_SECRET } from './product-environment.ts'

const PROGRAM = join(ROOT, 'deploy', 'compose', 'demo-upstreams.ts')

describe('the demo services of deploy/compose', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nyro-demo-'))
  const secretFile = join(folder, 'secret')
  let ports: readonly number[] = []
  let program: ChildProcess

  before(async () => {
    ports = [await freePort(), await freePort(), await freePort()]
    writeFileSync(secretFile, `${STAND_IN_SECRET}\n`)
    program = spawn(process.execPath, [PROGRAM, ...ports.map(String)], {
      env: { DEMO_JWT_SECRET_FILE: secretFile },
      stdio: 'inherit',
    })
    await until('them to listen', () =>
      ask(0, '/').then(
        ({ ok }) => ok,
        () => false,
      ),
    )
  })

  after(() => {
    program.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  function ask(service: number, path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://127.0.0.1:${ports[service]}${path}`, init)
  }

  test('answer as ingest and as query', async () => {
    const uploaded = (await (await ask(0, '/x', { method: 'POST', body: 'abc' })).json()) as {
      readonly body: { readonly bytes: number }
    }
    assert.equal(uploaded.body.bytes, 3)
    // What their health check asks for.
    assert.equal((await ask(1, '/search')).status, 200)
  })

  test('sign tokens with the secret of the file, without its line break', async () => {
    const login = await ask(2, '/api/auth/login', { method: 'POST', body: '{"company_id": "acme"}' })
    const { access_token: token } = (await login.json()) as { readonly access_token: string }
    const [head, payload, signature] = token.split('.')
    const expected = createHmac('sha256', STAND_IN_SECRET).update(`${head}.${payload}`).digest('base64url')
    assert.equal(signature, expected)
  })

  test('end when they are asked to, though connections are kept', async () => {
    const ended = new Promise((resolve) => void program.once('exit', resolve))
    program.kill('SIGTERM')
    assert.equal(await within('them to end', ended), 0)
  })
})
