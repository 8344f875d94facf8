/** Replies that only a node can make that was asked itself, by an overlay of one process that peels real onions. */
import { fetchHttp, type Http, openMemoryStore, type TransportAnswer } from '@session-v2/client'
import { generateX25519, loadCrypto, systemRandom, type X25519KeyPair } from '@session-v2/crypto'
import { decodeUtf8, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { type PeeledHere, peelOnion, type ServiceNode, sealReply } from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import { Scheduler } from '../src/scheduler/scheduler.ts'
import { systemTimers } from '../src/scheduler/system-timers.ts'
import { SealedStore } from '../src/store/sealed/sealed-store.ts'
import { createVault } from '../src/store/sealed/vault.ts'
import { OnionTransport } from '../src/transport/onion.ts'
import { Paths } from '../src/transport/paths.ts'
import { UNLOCK } from './people.ts'

const crypto = await loadCrypto()
const random = systemRandom()
const never = new AbortController().signal

/** Takes off all layers, and lets `answer` say what the destination says. */
class Overlay {
  readonly nodes: ServiceNode[]
  readonly #keys = new Map<string, X25519KeyPair>()
  answer: (peeled: PeeledHere) => TransportAnswer = peeled => this.reply(peeled, 200, {})

  constructor(count: number, host = '127.0.0.1') {
    this.nodes = Array.from({ length: count }, (_, i) => {
      const keys = generateX25519(crypto, random)
      const ed25519 = i.toString(16).padStart(64, '0')
      this.#keys.set(ed25519, keys)
      return { ed25519, x25519: encodeHex(keys.publicKey), host, port: 1 + i, protocol: 'http', swarmId: 0n }
    })
  }

  get http(): Http {
    return { ...fetchHttp, toNode: async (url, body) => this.#deliver(this.nodes[Number(new URL(url).port) - 1]!.ed25519, body) }
  }

  reply({ replyKey, json, base64 }: PeeledHere, status: number, body: unknown): TransportAnswer {
    return { status: 200, body: sealReply(crypto, random, replyKey, { status, body }, { json, base64 }) }
  }

  async transport(nodes = this.nodes): Promise<OnionTransport> {
    const store = new SealedStore(crypto, random, openMemoryStore(), createVault(crypto, random, UNLOCK).dataKey)
    const paths = await Paths.open(random, { nowMs: () => 0 }, store)
    paths.learn(nodes)
    return new OnionTransport({ crypto, random, scheduler: new Scheduler(systemTimers, random), http: this.http, paths })
  }

  #deliver(ed25519: string, body: Uint8Array): TransportAnswer {
    const peeled = peelOnion(crypto, this.#keys.get(ed25519)!, body)
    if (peeled.kind === 'relay') return this.#deliver(peeled.destination, peeled.body)
    if (peeled.kind !== 'here') throw new Error(peeled.kind)
    return this.answer(peeled)
  }
}

describe('a reply', () => {
  it.each<[string, number, unknown, string]>([
    ['an object', 200, { a: [1, 'ü', null] }, '{"a":[1,"ü",null]}'],
    ['a text', 401, 'retrieve: request signature required', 'retrieve: request signature required'],
    ['nothing', 406, '', ''],
    ['where an account is', 421, { snodes: [], swarm: '0' }, '{"snodes":[],"swarm":"0"}'],
    ['a server error', 500, 'request failed', 'request failed'],
  ])('of %s is an answer like a direct one', async (_what, status, body, text) => {
    const overlay = new Overlay(8)
    overlay.answer = peeled => overlay.reply(peeled, status, body)
    const transport = await overlay.transport()
    const answer = await transport.send(overlay.nodes[0]!, encodeUtf8('{}'), never)
    expect([answer.status, decodeUtf8(answer.body), answer.relays!.length]).toEqual([status, text, 3])
  })

  it('of eleven megabytes arrives whole', async () => {
    const overlay = new Overlay(4)
    const data = 'x'.repeat(11_000_000)
    overlay.answer = peeled => overlay.reply(peeled, 200, { data })
    const transport = await overlay.transport()
    const { body } = await transport.send(overlay.nodes[0]!, encodeUtf8('{}'), never)
    expect(body.length).toBe(data.length + '{"data":""}'.length)
  })

  it.each<[string, number, unknown]>([
    ['a status that is none', 99, {}],
    ['no status', Number.NaN, {}],
    ['JSON deeper than the stack', 200, '['.repeat(200_000) + ']'.repeat(200_000)],
  ])('with %s is held against the node that was asked, and against no path', async (_what, status, body) => {
    const overlay = new Overlay(12)
    const transport = await overlay.transport()
    const ways = new Set<string>()
    const send = async () => transport.send(overlay.nodes[0]!, encodeUtf8('{}'), never)
    for (let i = 0; i < 20; i++) ways.add((await send()).relays!.map(({ ed25519 }) => ed25519).join())
    let asked = 0
    const { answer } = overlay
    overlay.answer = peeled => {
      asked++
      return overlay.reply(peeled, status, body)
    }
    for (let i = 0; i < 6; i++) await expect(send()).rejects.toMatchObject({ code: 'malformed', retry: 'other-node' })
    expect(asked).toBe(6)
    overlay.answer = answer
    for (let i = 0; i < 20; i++) expect(ways).toContain((await send()).relays!.map(({ ed25519 }) => ed25519).join())
  })
})

describe('a list that seems to be of this computer alone', () => {
  it('makes nothing go directly to a node that is not of it', async () => {
    const overlay = new Overlay(3)
    let posted = 0
    overlay.answer = () => {
      posted++
      throw new Error('asked')
    }
    const transport = await overlay.transport()
    const elsewhere = { ...overlay.nodes[0]!, host: '203.0.113.7' }
    await expect(transport.send(elsewhere, encodeUtf8('{}'), never)).rejects.toMatchObject({ code: 'no-path' })
    expect(posted).toBe(0)
  })

  it('once those are left out that nothing can be sealed to, is none', async () => {
    const overlay = new Overlay(4)
    const bad = { ...overlay.nodes[3]!, host: '203.0.113.7', x25519: '00'.repeat(32) }
    let posted = 0
    overlay.answer = () => {
      posted++
      throw new Error('asked')
    }
    const transport = await overlay.transport(overlay.nodes.with(3, bad))
    for (let i = 0; i < 3; i++)
      await expect(transport.send(overlay.nodes[0]!, encodeUtf8('{}'), never)).rejects.toMatchObject({ code: 'no-path' })
    expect(posted).toBe(0)
  })
})
