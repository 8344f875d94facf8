/** Attacks through onion requests: relays that lie about others, and paths that go round. */
import { systemRandom } from '@session-v2/crypto'
import { concatBytes, encodeUtf8 } from '@session-v2/encoding'
import {
  HOP_NO_MAX,
  judgeFailure,
  NO_SWARM,
  ONION_REQUEST_PATH,
  openReply,
  REPLY_FORM,
  type ServiceNode,
  sealOnion,
} from '@session-v2/network'
import { expect } from 'vitest'
import { listed, type Stranger, stranger } from '../onion-network.ts'
import { type Attack, type Onslaught, until } from './attack.ts'
import { type AttackedNode, MIB } from './attacked-node.ts'
import { HostileSockets, postOf } from './hostile-sockets.ts'

const INFO = encodeUtf8('{"method":"info","params":{}}')
const LIES = 300
const LOOPS = 60
const LARGE_LOOPS = 15
const NOBODY = 'ab'.repeat(32)

interface Lie {
  readonly status: number
  readonly text: string
}

/** What it says of `honest`, and of a node that is on no path. */
const lies = (honest: string): readonly Lie[] => [
  { status: 502, text: `Next node not found: ${NOBODY}` },
  { status: 503, text: `Snode not ready: ${NOBODY}` },
  { status: 502, text: `Next node not found: ${honest}` },
  { status: 502, text: `Next node is currently unreachable: ${honest}` },
  { status: 503, text: `Snode not ready: ${honest}` },
  { status: 502, text: `Next node not found: ${honest.toUpperCase()}\n${honest}` },
  { status: 200, text: 'no reply' },
  { status: 421, text: '{"snodes":[]}' },
  { status: 502, text: 'x'.repeat(100_000) },
]

/** A relay that is listed and tells one lie after the other. */
export class LyingRelay {
  readonly #stranger: Stranger
  readonly listed: ServiceNode
  /** Ed25519 key of whom it lies about. */
  honest = NOBODY
  #told = 0

  private constructor(server: Stranger, node: ServiceNode) {
    this.#stranger = server
    this.listed = node
  }

  static async start(crypto: AttackedNode['crypto']): Promise<LyingRelay> {
    let relay: LyingRelay | undefined
    const server = await stranger((request, response) => {
      // Nodes test one another meanwhile.
      const { status, text } = request.url === ONION_REQUEST_PATH ? relay!.next() : { status: 404, text: '' }
      response.writeHead(status).end(text)
    })
    // In no swarm, so that all accounts are the other node's.
    relay = new LyingRelay(server, { ...listed(crypto, server.port), swarmId: NO_SWARM })
    return relay
  }

  next(): Lie {
    const all = lies(this.honest)
    return all[this.#told++ % all.length]!
  }

  close(): Promise<void> {
    return this.#stranger.close()
  }
}

function sealed({ crypto }: AttackedNode, path: readonly ServiceNode[], to: ServiceNode, payload = INFO) {
  return sealOnion(crypto, systemRandom(), path, { kind: 'node', ...to }, payload)
}

/** Its own neighbour lies: the node passes that on as it is said, believes none of it, and a client can tell what is no hint. */
const forge =
  (relayOf: () => LyingRelay) =>
  async (target: AttackedNode): Promise<Onslaught> => {
    const relay = relayOf()
    const own = target.node.listed(1n)
    relay.honest = own.ed25519
    const requests = Array.from({ length: LIES }, () => postOf(ONION_REQUEST_PATH, sealed(target, [own, relay.listed], own).body))
    const sockets = new HostileSockets(target.port)
    const running = Promise.all(Array.from({ length: 8 }, () => sockets.repeat('127.0.11.1', () => requests.pop())))
    await until(() => sockets.answered > 0)
    return {
      async finish() {
        await running
        expect(new Set(sockets.statuses.keys())).toEqual(new Set(lies(NOBODY).map(({ status }) => status)))
        const told = lies(own.ed25519)
        for (let i = 0; i < told.length; i++) {
          const { status, body } = await target.post(ONION_REQUEST_PATH, sealed(target, [own, relay.listed], own).body)
          const text = typeof body === 'string' ? body : JSON.stringify(body)
          expect(told.some(lie => lie.status === status && lie.text === text)).toBe(true)
          const route = { relays: [own.ed25519, relay.listed.ed25519], destination: own.ed25519 }
          const { blame } = judgeFailure({ status, body: encodeUtf8(text) }, route)
          if (!text.endsWith(own.ed25519) || text.includes('\n')) expect(blame).toEqual({ kind: 'path' })
        }
        const { body, replyKey } = sealed(target, [own, own], own)
        const { status, body: reply } = await target.post(ONION_REQUEST_PATH, body)
        expect([status, openReply(target.crypto, replyKey, encodeUtf8(reply), REPLY_FORM)?.status]).toEqual([200, 200])
      },
      stop: () => sockets.stop(),
    }
  }

/** Through the same node as often as a path can be long, and as if it had only begun, or were over. */
const loop =
  (count: number, payloadBytes: number) =>
  async (target: AttackedNode): Promise<Onslaught> => {
    const own = target.node.listed(1n)
    const path = Array.from({ length: HOP_NO_MAX }, () => own)
    const payload = concatBytes(INFO, new Uint8Array(payloadBytes).fill(0x20))
    const requests = Array.from({ length: count }, (_, i) => {
      const { body } = sealed(target, path, own, payload)
      const hopNo = [0, -1_000_000, 1, HOP_NO_MAX, HOP_NO_MAX + 1][i % 5]
      return postOf(ONION_REQUEST_PATH, concatBytes(body.slice(0, -1), encodeUtf8(`,"hop_no":${hopNo}}`)))
    })
    const sockets = new HostileSockets(target.port)
    const running = Promise.all(Array.from({ length: 12 }, () => sockets.repeat('127.0.12.1', () => requests.pop())))
    await until(() => sockets.answered > 0)
    return {
      async finish() {
        await running
        // Others that would be refused at the end may find no room on their way there.
        expect(sockets.statuses.get(400)).toBeGreaterThanOrEqual(Math.floor(count / 6))
        for (const status of sockets.statuses.keys()) expect([200, 400, 503]).toContain(status)
        expect(await target.node.metric('onion_requests_under_way')).toBe(0)
      },
      stop: () => sockets.stop(),
    }
  }

/** The attacks; `relayOf` gives a relay that is listed at the node. */
export function onionAttacks(relayOf: () => LyingRelay): readonly Attack[] {
  return [
    { name: 'path errors that a relay forges', begin: forge(relayOf) },
    { name: 'onion requests that go round', begin: loop(LOOPS, 0) },
    { name: 'large onion requests that go round', begin: loop(LARGE_LOOPS, 2 * MIB) },
  ]
}
