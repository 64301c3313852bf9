import assert from 'node:assert/strict'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { ASSERTION_HEADER, ownIssuer, TENANT_DEFAULTS } from '../../src/config/default.ts'
import { type StartTimer, startTimer } from '../../src/control/start-timer.ts'
import { Supervisor } from '../../src/control/supervisor.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { routeTo } from '../support/config-part.ts'
import { controlConfig } from '../support/control-config.ts'
import { echo, Origin } from '../support/origin.ts'
import { askOnce, request } from '../support/raw-client.ts'
import { bearer, SECRET, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'

const DAY_MS = 86_400_000

test('data threads sign with the next key of assertions once a day is over, and upstreams find both', async (t) => {
  const origin = await Origin.start(echo)
  const folder = mkdtempSync(join(tmpdir(), 'nyro-'))
  const path = join(folder, 'log')
  let endDay = (): void => {}
  const ownTimer: StartTimer = (delayMs, run) => {
    if (delayMs !== DAY_MS) return startTimer(delayMs, run)
    endDay = run
    return () => {}
  }
  const jwt = { key: SECRET, algorithm: 'HS256', clockSkewS: 0 } as const
  const assertion = { header: ASSERTION_HEADER, ttlS: 60, issuer: 'edge', audience: null, key: null }
  const supervisor = new Supervisor({
    config: {
      ...controlConfig({
        workers: 1,
        timeoutMs: 1_000,
        upstreamUrl: origin.url,
        routes: [routeTo('ingest', '/*', 'required')],
      }),
      identity: { issuers: [ownIssuer(jwt)], apiKeys: null },
      tenant: { ...TENANT_DEFAULTS, assertion },
    },
    ...{ warnings: [], pid: process.pid, version: '1.2.3', nodeVersion: process.versions.node },
    output: { fd: openSync(path, 'w'), isTty: false, colors: false },
    ...{ clock: systemClock, reload: null, stateDir: null },
    parts: { startTimer: ownTimer, startWatchdog: () => ({ stop: () => {} }) },
  })
  t.after(async () => {
    supervisor.drain('test')
    await supervisor.ended
    await origin[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  await supervisor.start()
  const line = await until('the listening line', () =>
    readFileSync(path, 'utf8')
      .split('\n')
      .find((text) => text.includes('"Gateway listening"')),
  )
  const { port, admin_port: adminPort } = JSON.parse(line) as {
    readonly port: number
    readonly admin_port: number
  }
  /** Of a tenant that nobody asked for before: what was signed is kept for half of its time. */
  const assertionOf = async (tenant: string): Promise<string> => {
    const fields = [bearer(tenantToken(tenant))]
    assert.equal((await askOnce(port, request('GET', '/x', fields), 'GET')).status, 200)
    return origin.last.get(ASSERTION_HEADER) ?? ''
  }
  const url = new URL(`http://127.0.0.1:${adminPort}/.well-known/jwks.json`)
  const kids = async (): Promise<readonly string[]> => {
    const { keys } = (await (await fetch(url)).json()) as { readonly keys: readonly { kid: string }[] }
    return keys.map(({ kid }) => kid)
  }
  const first = await assertionOf('first')
  const [signing, next] = await kids()
  assert.equal(decodeProtectedHeader(first).kid, signing)
  endDay()
  assert.deepEqual(
    (await kids()).filter((kid) => kid === signing || kid === next),
    [next, signing],
  )
  let asked = 0
  const second = await until('the next key', async () => {
    const text = await assertionOf(`tenant-${asked++}`)
    return decodeProtectedHeader(text).kid === next ? text : null
  })
  const published = createRemoteJWKSet(url)
  for (const text of [first, second]) await jwtVerify(text, published, { issuer: 'edge' })
})
