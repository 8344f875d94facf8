/** Storage nodes as processes of their own, one swarm of three; one dies while it holds messages. */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { encodeServiceNode, type ServiceNode } from '@session-v2/network'
import { type RunningSeed, startSeed } from '@session-v2/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type JsonRecord, RunningLines, records, requireBuilt, run, start, stop, temporaryFolder } from './command-process.ts'
import { freePorts, TestHome } from './test-network.ts'

const NODES = 3

const { path: folder, remove } = temporaryFolder()
const children: ChildProcess[] = []
let seed: RunningSeed

/** The i-th node of the registry; its key is 32 times the byte i + 1. */
async function member(index: number, port: number): Promise<ServiceNode> {
  const crypto = await loadCrypto()
  const { publicKey } = ed25519KeyPair(crypto, Secret.of(new Uint8Array(32).fill(index + 1), 'ed25519-seed'))
  const x25519 = encodeHex(ed25519PublicToX25519(crypto, publicKey))
  return { ed25519: encodeHex(publicKey), x25519, host: '127.0.0.1', port, protocol: 'http', swarmId: 1n }
}

/** Starts `node run` for a member. @returns its first object */
async function startMember(index: number, port: number): Promise<JsonRecord | undefined> {
  const data = join(folder, `node-${index}`)
  mkdirSync(data)
  writeFileSync(join(data, 'node.key'), `${encodeHex(new Uint8Array(32).fill(index + 1))}\n`, { mode: 0o600 })
  const settings = [`port = ${port}`, 'data_directory = "."', 'registry_file = "../registry.json"', '[log]', 'file = "node.log"']
  writeFileSync(join(data, 'node.toml'), settings.join('\n'))
  const child = start(['--json', 'node', 'run', '--config', join(data, 'node.toml')])
  children.push(child)
  return new RunningLines(child).next()
}

async function account(name: string): Promise<TestHome> {
  const home = join(folder, name)
  const created = await run(['--json', '--home', home, '--seed', seed.url, 'account', 'create', '--name', name])
  return new TestHome(home, records(created)[0]!)
}

beforeAll(async () => {
  requireBuilt()
  const port = await freePorts(NODES)
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, index) => member(index, port + index)))
  writeFileSync(
    join(folder, 'registry.json'),
    JSON.stringify({ service_node_states: nodes.map(node => encodeServiceNode(node)) }),
  )
  for (const [index, node] of nodes.entries()) {
    expect(await startMember(index, node.port)).toEqual({ ready: true, url: `http://127.0.0.1:${node.port}` })
  }
  seed = await startSeed({ host: '127.0.0.1', port: 0, nodes: () => nodes })
})
afterAll(async () => {
  await Promise.all(children.map(child => stop(child, 'SIGKILL')))
  await seed.close()
  remove()
})

describe('node run', () => {
  it('refuses a bad configuration with 1 and names what is wrong', async () => {
    writeFileSync(join(folder, 'bad.toml'), 'port = "many"\n')
    const result = await run(['--json', 'node', 'run', '--config', join(folder, 'bad.toml')])
    expect(result.status).toBe(1)
    expect(records(result)).toEqual([{ error: { code: 'bad-config', message: expect.stringMatching(/data_directory|port/) } }])
  })
})

describe('a dead member of the swarm', () => {
  it('loses no message and stops nobody from sending', async () => {
    const [alice, bob] = [await account('Alice'), await account('Bob')]
    const texts = Array.from({ length: 8 }, (_, index) => `message ${index}`)
    for (const text of texts.slice(0, 4)) await alice.expect(['send', bob.accountId, text])
    await stop(children[0]!, 'SIGKILL')
    for (const text of texts.slice(4)) {
      expect(await alice.expect(['send', bob.accountId, text])).toMatchObject([{ state: 'stored', protocol: 'v2-pfs' }])
    }
    expect((await bob.expect(['read'])).map(message => message.body)).toEqual(texts)
  })

  it('SIGTERM ends the others with 0', async () => {
    for (const child of children.slice(1)) expect(await stop(child, 'SIGTERM')).toBe(0)
  })
})
