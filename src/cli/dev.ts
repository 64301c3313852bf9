import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isLoopback } from '../config/address-format.ts'
import type { Config } from '../config/config.ts'
import { StartRefusal } from '../control/start-refusal.ts'
import { type ListeningPorts, Supervisor } from '../control/supervisor.ts'
import type { DemoService } from '../dev/demo-service.ts'
import { TOKEN_LIFE_S, type TokenIssuer, tokenIssuer } from '../dev/demo-token.ts'
import { type DemoName, startDemoUpstreams } from '../dev/demo-upstreams.ts'
import { DEV_ALGORITHMS, type DevIssuer } from '../dev/dev-issuer.ts'
import { DevIssuerServer } from '../dev/dev-issuer-server.ts'
import { type DevSettings, devSettings } from '../dev/dev-settings.ts'
import { type WelcomeFacts, welcome } from '../dev/welcome.ts'
import { CLAIM_NAMES } from '../lib/claim.ts'
import { systemClock } from '../lib/clock.ts'
import { loadSettings } from './load-settings.ts'
import type { ProcessEdge } from './process-edge.ts'
import { describeRefusal } from './refusal.ts'
import { drainOnSignal } from './start.ts'

/** About the pace of reading, so that the stream is seen to be one. */
const TOKEN_INTERVAL_MS = 60

/** As long as the longest hash, so that it serves every HS algorithm (RFC 7518 section 3.2). */
const SECRET_BYTES = 64

/**
 * Runs the gateway with demo services behind it and says how to try it, until a signal ends it. What the environment
 * and `.env` set is respected. Exits 0 after a drain, 1 if it could not run, 2 on bad settings.
 */
export async function dev(edge: ProcessEdge): Promise<void> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const settings = devSettings(edge.env, readDotenv(edge), secret)
  if (settings.hasConfigFile) {
    edge.complain(
      'nyro: dev brings its own routes and reads no configuration file; unset GATEWAY_CONFIG, or run nyro start\n',
    )
    return edge.exit(2)
  }
  const loaded = await loadSettings({ ...edge, env: settings.env }, null)
  if (loaded.config === null) {
    edge.complain(describeRefusal('nothing was started', loaded.problems, loaded.warnings))
    return edge.exit(loaded.exitCode)
  }
  if (loaded.config.production) {
    edge.complain(
      'nyro: dev signs tokens for anyone, so it does not run with ENVIRONMENT=production; unset it\n',
    )
    return edge.exit(2)
  }
  const issue = tokenIssuer(loaded.config.identity, systemClock)
  const services = await startDemoUpstreams(settings.demos, { issue, tokenIntervalMs: TOKEN_INTERVAL_MS })
  try {
    const { issuer } = await DevIssuerServer.start(systemClock)
    const config = withIssuer(withDemos(loaded.config, services), issuer.url)
    const supervisor = new Supervisor({
      config,
      warnings: loaded.warnings,
      pid: edge.pid,
      version: edge.version,
      nodeVersion: edge.nodeVersion,
      output: { fd: edge.stdoutFd, isTty: edge.isTty, colors: edge.colors },
      clock: systemClock,
      stateDir: null,
      reload: null,
    })
    drainOnSignal(edge, supervisor)
    const ports = await supervisor.start()
    edge.print(describe(config, settings, { ...ports, issue, ...(await issuerFacts(issuer)) }))
    edge.exit(await supervisor.ended)
  } catch (error) {
    if (!(error instanceof StartRefusal)) throw error
    const command = edge.env['npm_lifecycle_event'] === 'dev' ? 'npm run dev' : 'nyro dev'
    const remedy = `for other ports: GATEWAY_PORT=8081 GATEWAY_ADMIN_PORT=9902 ${command}`
    edge.complain(`nyro: ${error.message}; ${remedy}\n`)
    edge.exit(1)
  }
}

/** The settings themselves are loaded elsewhere, which also says what is wrong with a file that cannot be read. */
function readDotenv(edge: ProcessEdge): string | null {
  try {
    return new TextDecoder().decode(edge.readFile(join(edge.cwd, '.env')))
  } catch {
    return null
  }
}

function withDemos(config: Config, services: ReadonlyMap<string, DemoService>): Config {
  const upstreams = config.upstreams.map((upstream) => ({
    ...upstream,
    endpoints: upstream.endpoints.map(({ url }) => ({ url: services.get(upstream.name)?.url ?? url })),
  }))
  return { ...config, upstreams }
}

/** Trusted beside what the settings say. A rotation is found by the first token of the new key. */
function withIssuer(config: Config, url: string): Config {
  const { identity } = config
  const issuer: Config['identity']['issuers'][number] = {
    ...{ name: 'dev', issuer: url, audience: [], algorithms: DEV_ALGORITHMS, claims: CLAIM_NAMES },
    keys: {
      ...{ kind: 'discovery', url, plainHosts: [] },
      ...{ refreshMs: 600_000, cooldownMs: 1_000, maxStaleMs: 86_400_000 },
    },
    ...{ clockSkewS: 0, maxLifetimeS: null, requiredClaims: [] },
  }
  return { ...config, identity: { ...identity, issuers: [...identity.issuers, issuer] } }
}

async function issuerFacts(issuer: DevIssuer): Promise<Pick<WelcomeFacts, 'issuerUrl' | 'issuerToken'>> {
  const order = { tenant: 'acme', sub: 'demo-user', scope: '', alg: 'ES256', claims: {} } as const
  const { token } = await issuer.mint({ ...order, ttlS: TOKEN_LIFE_S })
  return { issuerUrl: issuer.url, issuerToken: token }
}

interface Running extends ListeningPorts, Pick<WelcomeFacts, 'issuerUrl' | 'issuerToken'> {
  readonly issue: TokenIssuer | null
}

function describe(config: Config, settings: DevSettings, running: Running): string {
  const { port, adminPort, issue, ...issuer } = running
  const pathTo = (name: DemoName): string | null =>
    config.routes.find((route) => route.name === name)?.match.path.slice(0, -2) ?? null
  return welcome({
    name: config.name,
    publicUrl: localUrl(config.listen.host, port),
    adminUrl: localUrl(config.admin.host, adminPort),
    ingestPath: pathTo('ingest') ?? '',
    queryPath: pathTo('query') ?? '',
    authPath: pathTo('auth'),
    demos: new Set(settings.demos),
    token: issue === null ? null : issue({ sub: 'demo-user', company_id: 'acme' }),
    hasOwnSecret: settings.hasOwnSecret,
    isExposed: !isLoopback(config.listen.host),
    ...issuer,
  })
}

/** Where a listener is reached from this machine: one that listens everywhere also does on the loopback interface. */
function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (host === '::') return `http://[::1]:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
