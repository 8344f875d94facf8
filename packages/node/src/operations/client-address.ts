/**
 * Under which address a client counts (clauses NODE-100, NODE-103): IPv4 as it is, also when it comes mapped into IPv6; IPv6 by its first 64
 * bits, since whoever has one such address has all of them. Behind a trusted proxy it is the address that the proxy names.
 */
import { BlockList, isIP } from 'node:net'

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const GROUPS = 8
const NETWORK_GROUPS = 4
const UNKNOWN = 'unknown'

/** The key of an address as the system writes it. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return UNKNOWN
  if (!address.includes(':')) return address
  const [, mapped] = MAPPED.exec(address) ?? []
  return mapped ?? network64(address)
}

/** The first four groups of an IPv6 address; leading zeros and zone left out. */
function network64(address: string): string {
  const [plain = ''] = address.split('%')
  const [left = '', right] = plain.split('::')
  const before = left === '' ? [] : left.split(':')
  const after = right === undefined || right === '' ? [] : right.split(':')
  const groups = right === undefined ? before : [...before, ...Array(GROUPS - before.length - after.length).fill('0'), ...after]
  return `${groups
    .slice(0, NETWORK_GROUPS)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** Proxies whose word on the client's address is taken. */
export class TrustedProxies {
  readonly #list = new BlockList()
  readonly isEmpty: boolean

  /** Each an address or a network such as `10.0.0.0/8`, as the configuration checked them. */
  constructor(proxies: readonly string[]) {
    this.isEmpty = proxies.length === 0
    for (const proxy of proxies) {
      const [address = '', prefix] = proxy.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (prefix === undefined) this.#list.addAddress(address, family)
      else this.#list.addSubnet(address, Number(prefix), family)
    }
  }

  has(address: string): boolean {
    const [, mapped] = MAPPED.exec(address) ?? []
    const plain = mapped ?? address
    const version = isIP(plain)
    return version !== 0 && this.#list.check(plain, version === 6 ? 'ipv6' : 'ipv4')
  }

  /**
   * The client of a connection from `remote`: from the right the first address of `X-Forwarded-For` that is no proxy of ours. What
   * stands left of it is the client's own word. Something that is no address ends the search at the proxy that wrote it.
   */
  clientOf(remote: string | undefined, forwarded: string | string[] | undefined): string | undefined {
    if (this.isEmpty || remote === undefined || forwarded === undefined || !this.has(remote)) return remote
    const hops = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded).split(',').map(hop => hop.trim())
    let client = remote
    for (const hop of hops.reverse()) {
      if (isIP(hop) === 0) return client
      client = hop
      if (!this.has(hop)) return client
    }
    return client
  }
}
