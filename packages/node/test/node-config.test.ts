import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeServiceNode } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../src/config/limits-config.ts'
import { parseNodeConfig, readNodeConfig } from '../src/config/node-config.ts'
import { DEFAULT_ONION } from '../src/config/onion-config.ts'
import { printNodeConfig } from '../src/config/print-config.ts'
import { DEFAULT_SWARM } from '../src/config/swarm-config.ts'
import { loadIdentity } from '../src/identity.ts'
import { startNode } from '../src/start-node.ts'
import { RpcServer } from './registry-nodes.ts'

const directories: string[] = []

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'node-config-'))
  directories.push(directory)
  return directory
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

const MINIMUM = 'port = 22021\ndata_directory = "data"\nregistry_file = "registry.json"\n'

const EVERYTHING = `
host = "::1"
port = 1
data_directory = "d"
key_file = "/k"
body_timeout_ms = 900
[store]
kind = "sqlite"
limit_bytes = 2097152
[registry]
kind = "file"
file = "r"
[cors]
origins = ["https://a.example"]
[tls]
certificate_file = "c"
key_file = "k"
[limits]
address_burst = 1
address_per_second = 2
relay_burst = 3
relay_per_second = 4
account_burst = 5
account_per_second = 6
tracked = 7
connections = 8
connections_per_address = 9
running_requests = 10
body_bytes = 16777216
answer_bytes = 0
head_timeout_ms = 100
bytes_per_second = 13
trusted_proxies = ["10.0.0.0/8", "::1"]
[onion]
servers = ["a.example"]
allow_private = true
relay_timeout_ms = 100
server_timeout_ms = 200
relays = 4
[swarm]
compare_every_ms = 100
deliver_every_ms = 200
hand_over_every_ms = 300
join_every_ms = 400
patience_ms = 3600000
[metrics]
host = "::1"
port = 9090
[log]
level = "debug"
file = "l"
addresses = true
`

describe('configuration', () => {
  it('has defaults, and paths that start at its folder', () => {
    expect(parseNodeConfig(MINIMUM, '/etc/node')).toEqual({
      host: '127.0.0.1',
      port: 22_021,
      dataDirectory: '/etc/node/data',
      keyFile: '/etc/node/data/node.key',
      bodyTimeoutMs: 15_000,
      store: { kind: 'sqlite', limitBytes: 10 * 1024 ** 3 },
      registry: { kind: 'file', file: '/etc/node/registry.json' },
      corsOrigins: 'loopback',
      limits: DEFAULT_LIMITS,
      onion: DEFAULT_ONION,
      swarm: DEFAULT_SWARM,
      log: { level: 'info', addresses: false },
    })
  })
  it('takes every setting', () => {
    expect(parseNodeConfig(EVERYTHING, '/n')).toEqual({
      host: '::1',
      port: 1,
      dataDirectory: '/n/d',
      keyFile: '/k',
      bodyTimeoutMs: 900,
      store: { kind: 'sqlite', limitBytes: 2_097_152 },
      registry: { kind: 'file', file: '/n/r' },
      corsOrigins: ['https://a.example'],
      tls: { certificateFile: '/n/c', keyFile: '/n/k' },
      limits: {
        address: { burst: 1, perSecond: 2 },
        relay: { burst: 3, perSecond: 4 },
        account: { burst: 5, perSecond: 6 },
        tracked: 7,
        connections: 8,
        connectionsPerAddress: 9,
        runningRequests: 10,
        bodyBytes: 16_777_216,
        answerBytes: 0,
        headTimeoutMs: 100,
        bytesPerSecond: 13,
        trustedProxies: ['10.0.0.0/8', '::1'],
      },
      onion: { servers: ['a.example'], allowPrivate: true, relayTimeoutMs: 100, serverTimeoutMs: 200, relays: 4 },
      swarm: { roundMs: 100, deliveriesMs: 200, handOverMs: 300, joinMs: 400, patienceMs: 3_600_000 },
      metrics: { host: '::1', port: 9090 },
      log: { level: 'debug', file: '/n/l', addresses: true },
    })
    expect(parseNodeConfig(`tls = "self-signed"\n${MINIMUM}`, '/n').tls).toBe('self-signed')
  })
})

describe('the tables of a configuration', () => {
  it('knows three registries (NODE-120)', () => {
    const registryOf = (table: string) => parseNodeConfig(`port = 0\ndata_directory = "d"\n[registry]\n${table}`, '/n').registry
    const seeds = [{ url: 'https://a' }, { url: 'https://b', pin: 'abc' }]
    expect(registryOf('kind = "seed"\nseeds = [{ url = "https://a" }, { url = "https://b", pin = "abc" }]')).toEqual({
      kind: 'seed',
      seeds,
    })
    const daemon = { kind: 'daemon', url: 'http://127.0.0.1:1' }
    expect(registryOf('kind = "daemon"\nurl = "http://127.0.0.1:1"')).toEqual({ ...daemon, ping: true, reports: true })
    expect(registryOf('kind = "daemon"\nurl = "http://127.0.0.1:1"\nping = false\nreports = false')).toEqual({
      ...daemon,
      ping: false,
      reports: false,
    })
  })

  it('knows a store that several processes share (NODE-140)', () => {
    const storeOf = (table: string) => parseNodeConfig(`${MINIMUM}[store]\nkind = "redis"\nnodes = ["a:1"]\n${table}`, '/n').store
    const store = { kind: 'redis', nodes: ['a:1'], acknowledgeReplicas: 1, keyPrefix: 'session-v2:' }
    expect(storeOf('')).toEqual(store)
    expect(storeOf('tls = true')).toEqual({ ...store, tls: {} })
    const all = 'tls = true\nca_file = "c"\nusername = "u"\npassword_file = "p"\nacknowledge_replicas = 2\nkey_prefix = "k:"'
    expect(storeOf(all)).toEqual({
      ...{ ...store, tls: { caFile: '/n/c' }, username: 'u', passwordFile: '/n/p' },
      ...{ acknowledgeReplicas: 2, keyPrefix: 'k:' },
    })
  })

  it('takes the short forms of store and registry', () => {
    const text = `${MINIMUM}database_limit_bytes = 2097152`
    expect(parseNodeConfig(text, '/n')).toMatchObject({
      store: { kind: 'sqlite', limitBytes: 2_097_152 },
      registry: { kind: 'file', file: '/n/registry.json' },
    })
  })
  it.each([
    EVERYTHING,
    MINIMUM,
    'port = 0\ndata_directory = "d"\n[registry]\nkind = "seed"\nseeds = [{ url = "https://a", pin = "b" }]',
    'port = 0\ndata_directory = "d"\n[registry]\nkind = "daemon"\nurl = "http://127.0.0.1:1"',
    `${MINIMUM}[store]\nkind = "redis"\nnodes = ["a:1"]\ntls = true\nca_file = "/c"\nusername = "u"\npassword_file = "/p"`,
    `tls = "self-signed"\n${MINIMUM}[cors]\norigins = "none"\n[metrics]\nport = 0`,
  ])('is printed as TOML that reads as the same (NODE-110): %#', text => {
    const config = parseNodeConfig(text, '/n')
    expect(parseNodeConfig(printNodeConfig(config), '/elsewhere')).toEqual(config)
  })
})

const REFUSED: readonly (readonly [what: string, text: string, complaint: string])[] = [
  ['port', 'data_directory = "d"\nregistry_file = "r"', 'port is missing'],
  ['a number that is none', MINIMUM.replace('22021', '"x"'), 'port must be an integer from 0 to 65535'],
  ['a number out of range', MINIMUM.replace('22021', '70000'), 'port must be an integer from 0 to 65535'],
  ['a misspelt key', `${MINIMUM}prot = 1`, 'prot is not a setting of the node'],
  ['a misspelt key of a table', `${MINIMUM}[log]\nlevle = "info"`, 'log.levle is not a setting of the node'],
  ['a wrong level', `${MINIMUM}[log]\nlevel = "loud"`, 'log.level must be one of "silent", "error", "warn", "info", "debug"'],
  ['half of tls', `${MINIMUM}[tls]\nkey_file = "k"`, 'tls.certificate_file is missing'],
  ['wrong origins', `${MINIMUM}[cors]\norigins = "all"`, 'cors.origins must be "loopback", "none" or a list of origins'],
  ['wrong lists', `${MINIMUM}[cors]\norigins = [1]`, 'cors.origins must be a string or a list of strings'],
  ['no table', `${MINIMUM}log = 1`, 'log must be a table'],
  ['another tls', `tls = "some"\n${MINIMUM}`, 'tls must be "self-signed" or a table'],
  ['an empty tls', `tls = ""\n${MINIMUM}`, 'tls must be a non-empty string'],
  ['a store it does not know', `${MINIMUM}[store]\nkind = "paper"`, 'store.kind must be one of "sqlite", "redis"'],
  ['a cluster without a node', `${MINIMUM}[store]\nkind = "redis"`, 'store.nodes names no node of the cluster'],
  [
    'authorities for nothing',
    `${MINIMUM}[store]\nkind = "redis"\nnodes = ["a:1"]\nca_file = "c"`,
    'store.ca_file is for tls = true',
  ],
  [
    'a limit for a cluster',
    `${MINIMUM}[store]\nkind = "redis"\nnodes = ["a:1"]\nlimit_bytes = 5000000`,
    'store.limit_bytes is not a setting',
  ],
  ['a store that is too small', `${MINIMUM}[store]\nlimit_bytes = 5`, 'store.limit_bytes must be an integer from 1048576'],
  ['the store twice', `database_limit_bytes = 9000000\n${MINIMUM}[store]\n`, 'database_limit_bytes is a short form of the table'],
  ['the registry twice', `${MINIMUM}[registry]\nfile = "r"`, 'registry_file is a short form of the table [registry]'],
  ['no registry', 'port = 0\ndata_directory = "d"', 'registry_file is missing'],
  [
    'a registry it does not know',
    'port = 0\ndata_directory = "d"\n[registry]\nkind = "x"',
    'registry.kind must be one of "file", "seed"',
  ],
  ['seeds that are none', 'port = 0\ndata_directory = "d"\n[registry]\nkind = "seed"', 'registry.seeds names no seed to ask'],
  [
    'seeds without a table',
    'port = 0\ndata_directory = "d"\n[registry]\nkind = "seed"\nseeds = ["x"]',
    'registry.seeds must be a list of tables',
  ],
  [
    'a misspelt seed',
    'port = 0\ndata_directory = "d"\n[registry]\nkind = "seed"\nseeds = [{ url = "x" }, { ulr = "x" }]',
    'registry.seeds[1].url is missing',
  ],
  ['a daemon without a URL', 'port = 0\ndata_directory = "d"\n[registry]\nkind = "daemon"', 'registry.url is missing'],
  ['a registry without a file', 'port = 0\ndata_directory = "d"\n[registry]', 'registry.file is missing'],
  ['a misspelt limit', `${MINIMUM}[limits]\nburst = 1`, 'limits.burst is not a setting of the node'],
  ['a negative limit', `${MINIMUM}[limits]\nconnections = -1`, 'limits.connections must be an integer from 0 to 1000000'],
  ['half a number', `${MINIMUM}[limits]\naccount_burst = 1.5`, 'limits.account_burst must be an integer'],
  ['a bucket that never fills', `${MINIMUM}[limits]\naddress_per_second = 0`, 'limits.address_per_second must be above 0'],
  ['no room for a body', `${MINIMUM}[limits]\nbody_bytes = 1`, 'limits.body_bytes must be 0 or an integer from 16777216'],
  ['no places', `${MINIMUM}[limits]\ntracked = 0`, 'limits.tracked must be an integer from 1 to 1000000'],
  ['a proxy that is none', `${MINIMUM}[limits]\ntrusted_proxies = ["10.0.0.0/33"]`, '"10.0.0.0/33" is neither'],
  ['a rule that is none', `${MINIMUM}[onion]\nservers = "private"`, 'onion.servers must be "none", "public" or a list of hosts'],
  ['a misspelt onion setting', `${MINIMUM}[onion]\nserver = "none"`, 'onion.server is not a setting of the node'],
  ['a relay that never waits', `${MINIMUM}[onion]\nrelay_timeout_ms = 0`, 'onion.relay_timeout_ms must be an integer from 100'],
  ['a misspelt time', `${MINIMUM}[swarm]\ncompare_every = 100`, 'swarm.compare_every is not a setting of the node'],
  ['no pause', `${MINIMUM}[swarm]\ndeliver_every_ms = 0`, 'swarm.deliver_every_ms must be an integer from 100 to 3600000'],
  ['a pause for ever', `${MINIMUM}[swarm]\npatience_ms = 3600001`, 'swarm.patience_ms must be an integer from 100'],
  ['a time in words', `${MINIMUM}[swarm]\njoin_every_ms = "1 s"`, 'swarm.join_every_ms must be an integer'],
  ['half a time', `${MINIMUM}[swarm]\nhand_over_every_ms = 100.5`, 'swarm.hand_over_every_ms must be an integer'],
  ['a swarm that is no table', `${MINIMUM}swarm = 1`, 'swarm must be a table'],
  ['a proxy by name', `${MINIMUM}[limits]\ntrusted_proxies = ["proxy"]`, '"proxy" is neither'],
  ['proxies that are no list', `${MINIMUM}[limits]\ntrusted_proxies = 1`, 'limits.trusted_proxies must be a list of strings'],
  ['metrics without a port', `${MINIMUM}[metrics]`, 'metrics.port is missing'],
  ['a word for yes', `${MINIMUM}[log]\naddresses = "yes"`, 'log.addresses must be true or false'],
  ['an empty path', MINIMUM.replace('"data"', '""'), 'data_directory must be a non-empty string'],
  ['no TOML', 'port = = 1', 'not valid TOML'],
]

describe('a configuration that is refused', () => {
  it.each(REFUSED)('names the key: %s (NODE-03)', (_, text, complaint) => {
    expect(() => parseNodeConfig(text, '/')).toThrow(
      expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(complaint) }),
    )
  })
  it('that cannot be read is an error with a code', async () => {
    await expect(readNodeConfig('/nowhere/node.toml')).rejects.toMatchObject({ code: 'bad-config' })
  })
})

describe('the key file (NODE-02)', () => {
  it('is made once, for its owner’s eyes only', async () => {
    const crypto = await loadCrypto()
    const file = join(newDirectory(), 'deep', 'node.key')
    const made = await loadIdentity(crypto, systemRandom(), file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const read = await loadIdentity(crypto, systemRandom(), file)
    expect([read.ed25519, read.x25519]).toEqual([made.ed25519, made.x25519])
    expect(JSON.stringify(read)).not.toContain('secret')
  })
  it('is whole or not there: a start that died while writing it does not stop the next one', async () => {
    const file = join(newDirectory(), 'node.key')
    writeFileSync(`${file}.new`, 'half a k')
    const { ed25519 } = await loadIdentity(await loadCrypto(), systemRandom(), file)
    expect(existsSync(`${file}.new`)).toBe(false)
    expect((await loadIdentity(await loadCrypto(), systemRandom(), file)).ed25519).toBe(ed25519)
    mkdirSync(`${file}2.new`)
    await expect(loadIdentity(await loadCrypto(), systemRandom(), `${file}2`)).rejects.toMatchObject({ code: 'bad-key-file' })
    expect(existsSync(`${file}2`)).toBe(false)
  })
  it('is refused when it holds something else', async () => {
    const file = join(newDirectory(), 'node.key')
    writeFileSync(file, 'too short', { mode: 0o600 })
    const refused = { code: 'bad-key-file', message: expect.stringContaining('put back the copy') }
    await expect(loadIdentity(await loadCrypto(), systemRandom(), file)).rejects.toMatchObject(refused)
  })
  it.each([0o640, 0o604, 0o622])('is refused when others may use it: mode %o', async mode => {
    const file = join(newDirectory(), 'node.key')
    await loadIdentity(await loadCrypto(), systemRandom(), file)
    chmodSync(file, mode)
    const refused = { code: 'bad-key-file', message: expect.stringContaining('chmod 600') }
    await expect(loadIdentity(await loadCrypto(), systemRandom(), file)).rejects.toMatchObject(refused)
  })
})

describe('a single node', () => {
  function configured(registry: string) {
    const directory = newDirectory()
    writeFileSync(join(directory, 'registry.json'), registry)
    return parseNodeConfig(`${MINIMUM.replace('22021', '0')}[log]\nlevel = "silent"`, directory)
  }

  it('starts from its configuration, once the registry lists it (NODE-04)', async () => {
    const config = configured('{"service_node_states":[]}')
    const file = join(config.dataDirectory, '..', 'registry.json')
    const unlisted = await startNode(config).catch(error => error)
    expect(unlisted).toMatchObject({ code: 'bad-registry' })
    const ed25519 = /[0-9a-f]{64}/.exec(unlisted.message)![0]
    const entry = encodeServiceNode({ ed25519, x25519: ed25519, host: '127.0.0.1', port: 22_021, protocol: 'http', swarmId: 7n })
    const register = (...entries: object[]) => writeFileSync(file, JSON.stringify({ service_node_states: entries }))
    register(entry)
    const node = await startNode(config)
    expect(node).toMatchObject({ ed25519, swarm: '7' })
    expect((await fetch(`${node.url}/get_stats/v1`)).status).toBe(200)
    // It follows the file while it runs (NODE-31, NODE-121), and lists with which block (NODE-50).
    const members = async () => {
      const body = JSON.stringify({ method: 'get_swarm', params: { pubkey: `05${'11'.repeat(32)}` } })
      const answer = await fetch(`${node.url}/storage_rpc/v1`, { method: 'POST', body })
      return ((await answer.json()) as { snodes: object[] }).snodes.length
    }
    expect(await members()).toBe(1)
    register(entry, { ...entry, pubkey_ed25519: '22'.repeat(32), storage_port: 1 })
    while ((await members()) === 1) await new Promise(resolve => setTimeout(resolve, 200))
    expect(await members()).toBe(2)
    await node.close()
  })
  it.each(['', 'null', '[]', '{"service_node_states":[{}]}'])('refuses the registry %j', async registry => {
    await expect(startNode(configured(registry))).rejects.toMatchObject({ code: 'bad-registry' })
  })
  it.each([
    ['a folder that cannot be made', 'store-failed', 'data_directory = "plain/x"\nkey_file = "node.key"'],
    [
      'certificates that are none',
      'bad-config',
      'data_directory = "data"\n[tls]\ncertificate_file = "plain"\nkey_file = "plain"',
    ],
    ['a log that cannot be opened', 'bad-config', 'data_directory = "data"\n[log]\nfile = "plain/node.log"'],
  ])('does not start with %s, and says so', async (_, code, settings) => {
    const directory = newDirectory()
    writeFileSync(join(directory, 'plain'), 'a file')
    writeFileSync(join(directory, 'registry.json'), '{"service_node_states":[]}')
    const config = parseNodeConfig(`port = 0\nregistry_file = "registry.json"\n${settings}`, directory)
    await expect(startNode(config)).rejects.toMatchObject({ name: 'NodeError', code })
  })
  it('says which port is taken', async () => {
    const { createServer } = await import('node:net')
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const config = { ...configured('{"service_node_states":[]}'), port }
    await expect(startNode(config)).rejects.toMatchObject({
      code: 'listen-failed',
      message: `cannot listen on 127.0.0.1:${port}: another program uses this port; stop it, or set another port`,
    })
    taken.close()
  })
})

describe('a node of a chain', () => {
  it('tells the daemon its list is from that it runs, and at which port (NODE-127)', async () => {
    const directory = newDirectory()
    const { ed25519, x25519 } = await loadIdentity(await loadCrypto(), systemRandom(), join(directory, 'node.key'))
    const entry = encodeServiceNode({ ed25519, x25519, host: '127.0.0.1', port: 22_021, protocol: 'http', swarmId: 7n })
    const list = { height: 1, block_hash: '01'.repeat(32), status: 'OK', service_node_states: [entry] }
    const daemon = await RpcServer.start(({ method }) => (method === 'get_service_nodes' ? list : { status: 'OK' }))
    const registry = `[registry]\nkind = "daemon"\nurl = "${daemon.url}"`
    const text = `port = 0\ndata_directory = "data"\nkey_file = "node.key"\n${registry}\n[log]\nlevel = "silent"`
    const node = await startNode(parseNodeConfig(text, directory))
    const pings = () => daemon.asked.filter(({ method }) => method === 'storage_server_ping')
    while (pings().length === 0) await new Promise(resolve => setTimeout(resolve, 20))
    expect(pings()[0]!.params).toMatchObject({ https_port: Number(new URL(node.url).port), pubkey_ed25519: ed25519 })
    await node.close()
    await daemon.close()
    // The first ping, not the next one 30 s later.
  }, 20_000)
})
