import type { BalanceConfig } from '../config/config.ts'
import type { Exchange } from './exchange.ts'

/** What an upstream's consistent hash goes by for an exchange; null where it has none, or nothing is hashed. */
export function balanceKey(balance: BalanceConfig, exchange: Exchange): string | null {
  if (balance.kind !== 'hash') return null
  const { on } = balance
  switch (on) {
    case 'tenant':
      return exchange.identity?.tenant ?? null
    case 'subject':
      return exchange.identity?.subject ?? null
    case 'ip':
      return exchange.clientIp
    case 'path':
      return exchange.head.path
    default:
      return exchange.head.get(on.header.toLowerCase())
  }
}
