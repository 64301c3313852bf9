import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { ROOT } from '../budgets/tree.ts'
import { parseDockerfile } from './dockerfile.ts'
import { loadInContainer, STAND_IN_SECRET, unknownVariables } from './product-environment.ts'

const FOLDER = join(ROOT, 'deploy', 'compose')
const LEAST_MARGIN_S = 5

interface Service {
  readonly image: string
  readonly build?: { readonly context: string; readonly target: string }
  readonly user: string
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly cap_add?: readonly string[]
  readonly privileged?: boolean
  readonly security_opt: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly stop_grace_period?: string
  readonly cpus: number
  readonly mem_limit: string
  readonly pids_limit: number
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
  readonly volumes: Readonly<Record<string, object>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
}

const text = readFileSync(join(FOLDER, 'docker-compose.yml'), 'utf8')
// Docker takes `<<` as YAML 1.1 has it.
const compose = parse(text, { merge: true }) as Compose
const services = Object.entries(compose.services)
const gateway = compose.services['gateway'] ?? assert.fail('no gateway')
const config = readFileSync(join(FOLDER, 'gateway', 'nyro.yaml'), 'utf8')
const prometheus = parse(readFileSync(join(FOLDER, 'prometheus', 'prometheus.yml'), 'utf8')) as {
  readonly scrape_configs: readonly {
    readonly authorization: { readonly credentials_file: string }
    readonly static_configs: readonly { readonly targets: readonly string[] }[]
  }[]
}

describe('docker-compose.yml', () => {
  test('starts the gateway, what it works with and what is behind it', () => {
    assert.deepEqual(Object.keys(compose.services).sort(), [
      'demo',
      'gateway',
      'grafana',
      'prometheus',
      'redis',
    ])
  })

  for (const [name, service] of services) {
    test(`keeps ${name} from writing, from root, from privileges and from taking the machine`, () => {
      assert.equal(service.read_only, true)
      assert.match(service.user, /^[1-9]\d*:\d+$/)
      assert.deepEqual(service.cap_drop, ['ALL'])
      assert.equal(service.cap_add, undefined)
      assert.equal(service.privileged, undefined)
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
      assert.ok(service.cpus > 0 && /^\d+m$/.test(service.mem_limit) && service.pids_limit > 0)
    })

    test(`takes ${name} by a short name and a version, from Docker Hub or from here`, () => {
      assert.match(service.image, /^([a-z0-9-]+\/)?[a-z0-9-]+:v?\d+\.\d+\.\d+(-[a-z]+)?$/)
      if (service.build === undefined) return
      const targets = parseDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).map(
        (stage) => stage.name,
      )
      assert.equal(resolve(FOLDER, service.build.context), ROOT)
      assert.ok(targets.includes(service.build.target))
    })

    test(`publishes ${name} to this machine only`, () => {
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/)
    })

    test(`knows when ${name} is healthy`, () => {
      // The gateway's check is the image's.
      assert.equal(service.healthcheck === undefined, name === 'gateway')
    })
  }

  test('names only volumes, secrets, networks and services that it has', () => {
    const declared = {
      secrets: Object.keys(compose.secrets),
      networks: Object.keys(compose.networks),
      volumes: Object.keys(compose.volumes),
    }
    for (const [name, { secrets = [], networks, volumes = [], depends_on = {} }] of services) {
      for (const secret of secrets) assert.ok(declared.secrets.includes(secret), `${name}: ${secret}`)
      for (const network of networks) assert.ok(declared.networks.includes(network), `${name}: ${network}`)
      for (const volume of volumes) {
        const [source = ''] = volume.split(':')
        const exists = source.startsWith('.')
          ? existsSync(join(FOLDER, source))
          : declared.volumes.includes(source)
        assert.ok(exists, `${name}: ${source}`)
      }
      for (const [other, { condition }] of Object.entries(depends_on)) {
        assert.ok(compose.services[other] !== undefined, `${name}: ${other}`)
        assert.equal(condition, 'service_healthy')
      }
    }
  })

  test('keeps what is behind the gateway on a network without a way out', () => {
    assert.equal(compose.networks['inside']?.internal, true)
    for (const name of ['demo', 'redis']) assert.deepEqual(compose.services[name]?.networks, ['inside'])
  })

  test('keeps secrets out of the file and out of the repository', () => {
    for (const { file } of Object.values(compose.secrets)) assert.match(file, /^\.\/secrets\//)
    assert.match(readFileSync(join(FOLDER, '.gitignore'), 'utf8'), /^secrets\/$/m)
  })

  test('gives the gateway as long to stop as its drain may take', () => {
    const { GATEWAY_SHUTDOWN_DELAY: delay, GATEWAY_SHUTDOWN_TIMEOUT: timeout } = gateway.environment ?? {}
    const grace = Number(/^(\d+)s$/.exec(gateway.stop_grace_period ?? '')?.[1])
    assert.ok(grace >= Number(delay) + Number(timeout) + LEAST_MARGIN_S)
  })

  test('names only variables that the product has', () => {
    assert.deepEqual(unknownVariables(text), [])
  })
})

describe('the config of the composed gateway', () => {
  const loaded = loadInContainer(
    gateway.environment ?? {},
    new Map([
      ['/etc/nyro/nyro.yaml', config],
      ...(gateway.secrets ?? []).map((name) => [`/run/secrets/${name}`, STAND_IN_SECRET] as const),
    ]),
  )

  test('loads, with the secrets that are mounted', async () => {
    const { listen, admin, routes } = await loaded
    assert.ok(gateway.ports?.includes(`127.0.0.1:${listen.port}:${listen.port}`))
    assert.ok(gateway.ports?.includes(`127.0.0.1:${admin.port}:${admin.port}`))
    assert.deepEqual(
      routes.map(({ name }) => name),
      ['ingest', 'query', 'login'],
    )
  })

  test('sends to services that are composed', async () => {
    const { upstreams } = await loaded
    for (const { endpoints } of upstreams)
      for (const { url } of endpoints) {
        const { hostname, port } = new URL(url)
        assert.equal(hostname, 'demo')
        assert.ok(['8000', '8001', '8002'].includes(port), url)
      }
    const { store } = parse(config) as { readonly store: { readonly redis: string } }
    assert.ok(compose.services[new URL(store.redis).hostname] !== undefined, store.redis)
  })

  test('is scraped where it listens, with its token', async () => {
    const { admin } = await loaded
    const [job = assert.fail()] = prometheus.scrape_configs
    assert.deepEqual(job.static_configs[0]?.targets, [`gateway:${admin.port}`])
    assert.equal(job.authorization.credentials_file, '/run/secrets/admin_token')
    assert.ok(compose.services['prometheus']?.secrets?.includes('admin_token'))
  })
})
