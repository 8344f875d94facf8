import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeServiceNode } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { parseNodeConfig, readNodeConfig } from '../src/config/node-config.ts'
import { loadIdentity } from '../src/identity.ts'
import { startNode } from '../src/node.ts'

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

describe('configuration', () => {
  it('has defaults, and paths that start at its folder', () => {
    expect(parseNodeConfig(MINIMUM, '/etc/node')).toEqual({
      host: '127.0.0.1',
      port: 22_021,
      dataDirectory: '/etc/node/data',
      keyFile: '/etc/node/data/node.key',
      registryFile: '/etc/node/registry.json',
      databaseLimitBytes: 10 * 1024 ** 3,
      bodyTimeoutMs: 15_000,
      corsOrigins: 'loopback',
      log: { level: 'info' },
    })
  })
  it('takes every setting', () => {
    const text = `host = "::1"\n${MINIMUM}key_file = "/k"\ndatabase_limit_bytes = 2097152\nbody_timeout_ms = 900
      [cors]\norigins = ["https://a.example"]\n[tls]\ncertificate_file = "c"\nkey_file = "k"\n[log]\nlevel = "debug"\nfile = "l"`
    expect(parseNodeConfig(text, '/n')).toMatchObject({
      host: '::1',
      keyFile: '/k',
      databaseLimitBytes: 2_097_152,
      bodyTimeoutMs: 900,
      corsOrigins: ['https://a.example'],
      tls: { certificateFile: '/n/c', keyFile: '/n/k' },
      log: { level: 'debug', file: '/n/l' },
    })
  })
  it.each([
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
    ['an empty path', MINIMUM.replace('"data"', '""'), 'data_directory must be a non-empty string'],
    ['no TOML', 'port = = 1', 'not valid TOML'],
  ])('names the key: %s (NODE-03)', (_, text, complaint) => {
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
    writeFileSync(file, 'too short')
    await expect(loadIdentity(await loadCrypto(), systemRandom(), file)).rejects.toMatchObject({ code: 'bad-key-file' })
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
    const unlisted = await startNode(config).catch(error => error)
    expect(unlisted).toMatchObject({ code: 'bad-registry' })
    const ed25519 = /[0-9a-f]{64}/.exec(unlisted.message)![0]
    const entry = encodeServiceNode({ ed25519, x25519: ed25519, host: '127.0.0.1', port: 22_021, protocol: 'http', swarmId: 7n })
    writeFileSync(config.registryFile, JSON.stringify({ service_node_states: [entry] }))
    const node = await startNode(config)
    expect(node).toMatchObject({ ed25519, swarm: '7' })
    expect((await fetch(`${node.url}/get_stats/v1`)).status).toBe(200)
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
      message: `cannot listen on 127.0.0.1:${port}`,
    })
    taken.close()
  })
})
