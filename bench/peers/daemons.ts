/**
 * Storage nodes as an operator runs them: the daemon of the node package with a configuration, a key and a folder of its own, a process
 * each, on loopback. Rates are off, since all load comes from one address; every other check and bound is on.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Crypto, ed25519KeyPair, ed25519SecretToX25519, type Random, Secret, x25519KeyPair } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { encodeServiceNode, type ServiceNode } from '@session-v2/network'

const MAIN = fileURLToPath(new URL('../../../packages/node/dist/main.js', import.meta.url))
const HOST = '127.0.0.1'
const SEED_BYTES = 32
const RATES_OFF = `
[limits]
address_burst = 0
account_burst = 0
relay_burst = 0
connections_per_address = 0
[log]
level = "error"
`

/** A node of the list, and the seed of its key. */
export interface Member {
  readonly seedHex: string
  readonly node: ServiceNode
}

export interface Daemon {
  readonly pid: number
  readonly port: number
  /** Resolves once the process is gone. */
  stop(): Promise<void>
}

/** A node of a new key, at a port that is free now; all of them are in one swarm. */
export async function newMember(crypto: Crypto, random: Random): Promise<Member> {
  const seed = random.bytes(SEED_BYTES)
  const seedHex = encodeHex(seed)
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(seed, 'ed25519-seed'))
  const x25519 = encodeHex(x25519KeyPair(crypto, ed25519SecretToX25519(crypto, secretKey)).publicKey)
  const node = {
    ed25519: encodeHex(publicKey),
    x25519,
    host: HOST,
    port: await freePort(),
    protocol: 'http',
    swarmId: 1n,
  } as const
  return { seedHex, node }
}

/**
 * Starts the daemon of a member in a folder, which it makes, and resolves once it serves.
 * @param settings further tables of its configuration
 * @param port where it listens, if not where it is listed
 */
export function startDaemon(
  directory: string,
  { seedHex, node }: Member,
  members: readonly Member[],
  { settings = '', port = node.port }: { readonly settings?: string; readonly port?: number } = {},
): Promise<Daemon> {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'node.key'), `${seedHex}\n`, { mode: 0o600 })
  const list = { service_node_states: members.map(member => encodeServiceNode(member.node)) }
  writeFileSync(join(directory, 'registry.json'), JSON.stringify(list))
  const config = join(directory, 'node.toml')
  writeFileSync(config, `port = ${port}\ndata_directory = "."\nregistry_file = "registry.json"\n${RATES_OFF}${settings}`)
  return startServer([MAIN, config])
}

/** Starts a script of Node that prints a line once it serves. */
async function startServer(args: readonly string[]): Promise<Daemon> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  endWithUs(child)
  for await (const line of createInterface({ input: child.stdout! })) {
    const port = Number(new URL(JSON.parse(line).url).port)
    return { pid: child.pid!, port, stop: () => stopProcess(child, 'SIGTERM') }
  }
  throw new Error('a node did not start')
}

/** Whatever ends this process, the other does not go on. */
export function endWithUs(child: ChildProcess): void {
  const end = () => void child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.removeListener('exit', end))
}

/** Resolves once it is gone. */
export async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill(signal)
  await gone
}

/** A port of loopback that is free now. */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(wanted, HOST, () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
