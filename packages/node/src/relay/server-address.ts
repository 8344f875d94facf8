/**
 * Which web servers a node sends onion requests to, by name, port and address (clauses ON-75, ON-76). Whoever sends one chooses the host: it
 * must not lead to what only this machine or its neighbours can reach.
 *
 * | addresses | |
 * |---|---|
 * | loopback, private, shared (carriers' NAT), unique local | where `allow_private` is set |
 * | unspecified, link-local, multicast, broadcast, reserved, documentation, those that stand for IPv4 ones, metadata services | never |
 * | other IPv4; of IPv6 those under 2000::/3 | yes |
 */
import { Resolver } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import type { OnionServers } from '../config/onion-config.ts'

/** The addresses of a name, at least one. Rejects when there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** Waiting for one answer of a name server, and how often it is asked. */
const DNS = { timeout: 2_500, tries: 2 }
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443])
/** Below it are the ports of other services, some of which read a POST as commands. */
const SYSTEM_PORTS = 1024

const IPV4_PRIVATE = networks(['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'])
const IPV6_PRIVATE = networks(['::1/128', 'fc00::/7'])
const IPV6_GLOBAL = networks(['2000::/3'])

const FORBIDDEN = networks([
  '0.0.0.0/8',
  '100.100.100.200/32', // metadata of a hosting provider, as are the other single addresses
  '168.63.129.16/32',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
])

/** Whether a node with this rule asks that host at all. */
export function isServed(servers: OnionServers, host: string): boolean {
  if (servers === 'none' || servers === 'public') return servers === 'public'
  return servers.some(listed => plain(listed) === plain(host))
}

/** Whether servers are asked at that port: 80, 443, and those from 1024 on. */
export function isServerPort(port: number): boolean {
  return WEB_PORTS.has(port) || port >= SYSTEM_PORTS
}

/** Whether an address may be connected to. False for what is no address. */
export function isAllowedAddress(address: string, allowPrivate: boolean): boolean {
  const version = isIP(address)
  if (version === 0 || address.includes('%')) return false
  if (version === 4) return !FORBIDDEN.check(address) && (allowPrivate || !IPV4_PRIVATE.check(address))
  const isKind = IPV6_GLOBAL.check(address, 'ipv6') || (allowPrivate && IPV6_PRIVATE.check(address, 'ipv6'))
  return isKind && !FORBIDDEN.check(address, 'ipv6')
}

/**
 * The addresses of a host, all of them allowed; undefined when there are none, or one is not: a name that leads to both kinds is made to
 * be tried until the other one comes.
 */
export async function allowedAddresses(
  host: string,
  resolve: Resolve,
  allowPrivate: boolean,
): Promise<readonly string[] | undefined> {
  const addresses = isIP(host) === 0 ? await resolve(host).catch(() => []) : [host]
  const allowed = addresses.length > 0 && addresses.every(address => isAllowedAddress(address, allowPrivate))
  return allowed ? addresses : undefined
}

/** Asks name servers itself: the system's own look-up has four threads, and names that nobody answers would occupy them. IPv4 first. */
export function systemResolve(): Resolve {
  const resolver = new Resolver(DNS)
  return async name => {
    const found = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    return found.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  }
}

function plain(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

function networks(list: readonly string[]): BlockList {
  const blocks = new BlockList()
  for (const network of list) {
    const [address = '', prefix] = network.split('/')
    blocks.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return blocks
}
