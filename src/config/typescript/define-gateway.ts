import type { GatewayConfig } from '../file/schema.ts'

/**
 * A gateway's configuration, as the default export of its file: `export default defineGateway({ … })`. It returns what
 * it is given; its type has the operator's own compiler check keys, units and durations. The same keys as in YAML.
 */
export function defineGateway(config: GatewayConfig): GatewayConfig {
  return config
}
