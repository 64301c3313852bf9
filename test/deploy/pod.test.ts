import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { SECRET, tenantToken } from '../support/token.ts'
import { until, within } from '../support/until.ts'
import { only, type Probe, variablesOf } from './manifest.ts'

/** What the manifests make of a pod, as a process of this machine: their variables, their files, their probes. */

const [container] = only('Deployment').spec.template.spec.containers
const config = only('ConfigMap').data['nyro.yaml']
const ADMIN_TOKEN = 'an-admin-token-of-this-test'

/** As the kubelet mounts a ConfigMap or a Secret: files are links into `..data`, itself a link that is switched. */
class Mount {
  readonly path: string
  #version = 0

  constructor(parent: string, name: string) {
    this.path = join(parent, name)
    mkdirSync(this.path)
  }

  put(files: Readonly<Record<string, string>>): void {
    const version = `..version_${++this.#version}`
    mkdirSync(join(this.path, version))
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(this.path, version, name), text)
      if (this.#version === 1) symlinkSync(join('..data', name), join(this.path, name))
    }
    symlinkSync(version, join(this.path, '..data_tmp'))
    renameSync(join(this.path, '..data_tmp'), join(this.path, '..data'))
  }
}

describe('a pod of the manifests', () => {
  let folder = ''
  let mounted: Mount
  let secrets: Mount
  let origin: Origin
  let gateway: Gateway

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nyro-pod-'))
    origin = await Origin.start()
    mounted = new Mount(folder, 'config')
    secrets = new Mount(folder, 'secrets')
    secrets.put({ 'jwt-secret': SECRET, 'admin-token': ADMIN_TOKEN })
    mounted.put({ 'nyro.yaml': here(config) })
    const env = variablesOf(container, ADMIN_TOKEN)
    const settings = Object.entries(env).map(([name, value]) => [name, here(value)])
    gateway = await startGateway({
      ...Object.fromEntries(settings),
      GATEWAY_PORT: '0',
      GATEWAY_ADMIN_PORT: '0',
      // Two of the five seconds that it has there.
      GATEWAY_SHUTDOWN_DELAY: '2',
    })
  })

  afterEach(async () => {
    await gateway[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A text of the manifests with what this machine has in the place of mounts and services. */
  function here(text: string): string {
    const placed = container.volumeMounts.reduce(
      (rest, { name, mountPath }) => rest.replaceAll(mountPath, join(folder, name)),
      text,
    )
    return placed.replaceAll(/http:\/\/[\w.-]+\.svc\.cluster\.local:80/g, origin.url)
  }

  async function ask(path: string): Promise<number> {
    const headers = { authorization: `Bearer ${tenantToken('acme')}` }
    const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers })
    await response.arrayBuffer()
    return response.status
  }

  async function probe({ httpGet: { path } }: Probe): Promise<number> {
    return (await fetch(`http://127.0.0.1:${gateway.adminPort}${path}`)).status
  }

  test('serves its routes and answers its probes, and the operator only with the token', async () => {
    for (const each of [container.startupProbe, container.livenessProbe, container.readinessProbe])
      assert.equal(await probe(each), 200)
    assert.equal(await ask('/api/v1/query/x'), 200)
    assert.equal(origin.last.get('x-company-id'), 'acme')
    const page = `http://127.0.0.1:${gateway.adminPort}/config`
    assert.equal((await fetch(page)).status, 401)
    assert.equal((await fetch(page, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })).status, 200)
  })

  test('takes over a ConfigMap that was switched, and a Secret', async () => {
    assert.equal(await ask('/api/v1/query/x'), 200)
    mounted.put({ 'nyro.yaml': here(config).replace('/api/v1/query/*', '/api/v2/query/*') })
    await until('the new route', async () => (await ask('/api/v2/query/x')) === 200)
    assert.equal(await ask('/api/v1/query/x'), 404)
    secrets.put({ 'jwt-secret': `another-${SECRET}`, 'admin-token': ADMIN_TOKEN })
    await until('tokens of the old secret to be refused', async () => (await ask('/api/v2/query/x')) === 401)
  })

  test('is not ready but alive while it drains, and ends by itself', async () => {
    const since = performance.now()
    gateway.signal('SIGTERM')
    await until('it not to be ready', async () => (await probe(container.readinessProbe)) === 503)
    assert.equal(await probe(container.livenessProbe), 200)
    // Traffic that the rest of the cluster still sends here is served.
    assert.equal(await ask('/api/v1/query/x'), 200)
    assert.deepEqual(await within('it to end', gateway.exited), { code: 0, signal: null })
    const grace = only('Deployment').spec.template.spec.terminationGracePeriodSeconds
    assert.ok(performance.now() - since < grace * 1_000)
  })
})
