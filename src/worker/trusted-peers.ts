import net from 'node:net'
import type { TrustsPeer } from '../proxy/forwarded.ts'

/** Tests an address against CIDRs and single addresses; null where none are listed. */
export function trustedPeers(listed: readonly string[]): TrustsPeer | null {
  if (listed.length === 0) return null
  const list = new net.BlockList()
  for (const entry of listed) {
    const slash = entry.indexOf('/')
    const address = slash < 0 ? entry : entry.slice(0, slash)
    const family = net.isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (slash < 0) list.addAddress(address, family)
    else list.addSubnet(address, Number(entry.slice(slash + 1)), family)
  }
  return (address) => {
    const family = net.isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}
