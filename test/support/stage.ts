import { type Gateway, startGateway } from './gateway.ts'
import type { Field } from './message.ts'
import { echo, Origin, type Script } from './origin.ts'
import { askOnce, RawClient, type RawResponse, request } from './raw-client.ts'
import { bearer, SECRET, tenantToken } from './token.ts'

/** A gateway between a client and one upstream each for ingest, query and auth. */
export class Stage {
  readonly gateway: Gateway
  readonly ingest: Origin
  readonly query: Origin
  readonly auth: Origin

  constructor(gateway: Gateway, ingest: Origin, query: Origin, auth: Origin) {
    this.gateway = gateway
    this.ingest = ingest
    this.query = query
    this.auth = auth
  }

  get port(): number {
    return this.gateway.port
  }

  async connect(): Promise<RawClient> {
    return RawClient.connect(this.port)
  }

  /** One request on a connection of its own, with exactly these fields and Host. */
  async ask(
    method: string,
    target: string,
    fields: readonly Field[] = [],
    body: string | Buffer | null = null,
  ): Promise<RawResponse> {
    return askOnce(this.port, request(method, target, fields, body), method)
  }

  /** The same with the token of tenant acme. */
  async askAs(
    method: string,
    target: string,
    fields: readonly Field[] = [],
    body: string | Buffer | null = null,
  ): Promise<RawResponse> {
    return this.ask(method, target, [ACME, ...fields], body)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]()
    await Promise.all([this.ingest, this.query, this.auth].map((origin) => origin[Symbol.asyncDispose]()))
  }
}

/** A valid token of tenant acme, as a field. */
export const ACME = bearer(tenantToken('acme'))

/** `settings` come on top of the three upstreams and the secret. */
export async function openStage(
  settings: Readonly<Record<string, string>> = {},
  script: Script = echo,
): Promise<Stage> {
  const origins = await Promise.all([Origin.start(script), Origin.start(script), Origin.start(script)])
  const [ingest, query, auth] = origins
  try {
    const gateway = await startGateway({
      GATEWAY_JWT_SECRET: SECRET,
      GATEWAY_INGEST_SERVICE_URL: ingest.url,
      GATEWAY_QUERY_SERVICE_URL: query.url,
      GATEWAY_AUTH_SERVICE_URL: auth.url,
      ...settings,
    })
    return new Stage(gateway, ingest, query, auth)
  } catch (error) {
    await Promise.all(origins.map((origin) => origin[Symbol.asyncDispose]()))
    throw error
  }
}
