const GROUPS_OF_64_BITS = 4
const GROUPS = 8
const IPV4_MAPPED = '::ffff:'

/**
 * What stands for one client among addresses: an IPv4 address whole, of an IPv6 address the first 64 bits, because a
 * client has all the others to choose from (RFC 6177). Whatever is neither stands for itself.
 */
export function clientPrefix(address: string): string {
  if (!address.includes(':')) return address
  const lower = address.toLowerCase()
  if (lower.startsWith(IPV4_MAPPED) && lower.includes('.')) return lower.slice(IPV4_MAPPED.length)
  const gap = lower.indexOf('::')
  const groups = (gap < 0 ? lower : lower.slice(0, gap)).split(':').filter((group) => group !== '')
  if (gap >= 0 && groups.length < GROUPS_OF_64_BITS) {
    const after = lower
      .slice(gap + 2)
      .split(':')
      .filter((group) => group !== '')
    // An IPv4 address at the end is two groups long.
    const length = after.length + (lower.includes('.') ? 1 : 0)
    const zeros = Math.max(0, GROUPS - groups.length - length)
    for (let index = 0; index < zeros; index++) groups.push('0')
    groups.push(...after)
  }
  return groups.slice(0, GROUPS_OF_64_BITS).map(withoutZeros).join(':')
}

function withoutZeros(group: string): string {
  let start = 0
  while (start < group.length - 1 && group.charCodeAt(start) === 48) start++
  return start === 0 ? group : group.slice(start)
}
