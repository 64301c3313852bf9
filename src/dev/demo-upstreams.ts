import type { RequestListener } from 'node:http'
import { demoAuth } from './demo-auth.ts'
import { demoIngest } from './demo-ingest.ts'
import { demoQuery } from './demo-query.ts'
import { type DemoService, startDemoService } from './demo-service.ts'
import type { TokenIssuer } from './demo-token.ts'

/** As the environment names them: GATEWAY_INGEST_SERVICE_URL and so on. */
export type DemoName = 'ingest' | 'query' | 'auth'

export const DEMO_NAMES: readonly DemoName[] = ['ingest', 'query', 'auth']

export interface DemoOptions {
  /** Null: the demo auth service says that it cannot issue tokens. */
  readonly issue: TokenIssuer | null
  readonly tokenIntervalMs: number
}

/** Starts those of the demo services that are asked for. */
export async function startDemoUpstreams(
  names: readonly DemoName[],
  options: DemoOptions,
): Promise<ReadonlyMap<DemoName, DemoService>> {
  const listeners: Readonly<Record<DemoName, RequestListener>> = {
    ingest: demoIngest,
    query: demoQuery(options.tokenIntervalMs),
    auth: demoAuth(options.issue),
  }
  const started = new Map<DemoName, DemoService>()
  for (const name of names) started.set(name, await startDemoService(listeners[name]))
  return started
}
