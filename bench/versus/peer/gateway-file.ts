import { writeFileSync } from 'node:fs'
import type { Stand } from '../stand.ts'
import { SECRET } from '../token.ts'

export interface GatewayFile {
  readonly upstreamPort: number
  /** Further lines at the top level. */
  readonly settings?: readonly string[]
  /** Further keys of the upstream, in flow style. */
  readonly upstream?: readonly string[]
  /** Further routes, in flow style. */
  readonly routes?: readonly string[]
}

/** Writes the common job as a configuration file; returns its path. */
export function writeGatewayFile(stand: Stand, name: string, file: GatewayFile): string {
  const { upstreamPort, settings = [], upstream = [], routes = [] } = file
  const upstreamKeys = [`endpoints: ["http://127.0.0.1:${upstreamPort}"]`, ...upstream]
  const lines = [
    'listen: { host: 127.0.0.1, port: 0 }',
    'admin: { host: 127.0.0.1, port: 0 }',
    'workers: 1',
    ...settings,
    'identity:',
    `  jwt: [{ name: bench, secret: ${SECRET}, algorithms: [HS256] }]`,
    'upstreams:',
    `  query: { ${upstreamKeys.join(', ')} }`,
    'routes:',
    '  - { name: query, match: { path: "/api/v1/query/*" }, upstream: query }',
    ...routes.map((route) => `  - ${route}`),
    '',
  ]
  const path = stand.file(`${name}.yaml`)
  writeFileSync(path, lines.join('\n'))
  return path
}
