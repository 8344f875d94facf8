import { type Crypto, Secret, seededRandom, systemRandom } from '@session-v2/crypto'
import { concatBytes, decodeUtf8, encodeBt, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  HOP_NO_MAX,
  judgeFailure,
  type LayerKey,
  ONION_REPLY_MAX_BYTES,
  type OnionDestination,
  openReply,
  openServerReply,
  type Peeled,
  peelOnion,
  REQUEST_MAX_BYTES,
  sealOnion,
  sealReply,
} from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHeader } from '../src/onion-request/control.ts'
import { decodeFrame } from '../src/onion-request/frame.ts'
import { encryptWithLayerKey, openLayer } from '../src/onion-request/layer.ts'
import { type KeyedNode, keyedNode } from './onion-nodes.ts'
import { networkErrorOf, providers } from './owners.ts'

const REQUEST = encodeUtf8('{"method":"info","params":{}}')
const random = systemRandom()

function toNode(node: KeyedNode): OnionDestination {
  return { kind: 'node', ed25519: node.ed25519, x25519: node.x25519 }
}

/** Whether the bytes stand anywhere in the others. */
function holds(bytes: Uint8Array, part: Uint8Array): boolean {
  return encodeHex(bytes).includes(encodeHex(part))
}

interface Network {
  /** One more than a path may have relays. */
  readonly nodes: readonly KeyedNode[]
  readonly destination: KeyedNode
  /** Passes a body from node to node, as the network does, up to the one that does not relay. */
  travelled(body: Uint8Array, guard: KeyedNode): { peeled: Peeled; passed: KeyedNode[] }
}

function networkOf(crypto: Crypto): Network {
  const nodes = Array.from({ length: HOP_NO_MAX + 2 }, (_, at) => keyedNode(crypto, at + 1))
  return {
    nodes,
    destination: nodes.at(-1)!,
    travelled(body, guard) {
      const passed: KeyedNode[] = []
      let at = guard
      for (let peeled = peelOnion(crypto, at.keys, body); ; peeled = peelOnion(crypto, at.keys, peeled.body)) {
        passed.push(at)
        if (peeled.kind !== 'relay') return { peeled, passed }
        const { destination: next } = peeled
        at = nodes.find(({ ed25519 }) => ed25519 === next)!
      }
    },
  }
}

const networks = providers.map(([name, crypto]) => [name, crypto, networkOf(crypto)] as const)

describe.each(networks)('an onion request (%s)', (_, crypto, { nodes, destination, travelled }) => {
  it.each([0, 1, 3, HOP_NO_MAX])('reaches its destination behind %i relays, and the reply comes back (ON-03, ON-40)', relays => {
    const path = nodes.slice(0, relays)
    const { body, replyKey } = sealOnion(crypto, random, path, toNode(destination), REQUEST)
    const { peeled, passed } = travelled(body, path[0] ?? destination)
    expect(passed).toEqual([...path, destination])
    if (peeled.kind !== 'here') throw new Error(peeled.kind)
    expect(decodeUtf8(peeled.request)).toBe(decodeUtf8(REQUEST))
    const reply = sealReply(crypto, random, peeled.replyKey, { status: 421, body: { snodes: [] } }, peeled)
    expect(openReply(crypto, replyKey, reply)).toEqual({ status: 421, body: { snodes: [] } })
  })

  it('shows a relay neither the destination, nor the request, nor the next but one (ON-10)', () => {
    const path = nodes.slice(0, 3)
    const { body } = sealOnion(crypto, random, path, toNode(destination), REQUEST)
    const peeled = peelOnion(crypto, path[0]!.keys, body)
    if (peeled.kind !== 'relay') throw new Error(peeled.kind)
    expect(peeled.destination).toBe(path[1]!.ed25519)
    for (const seen of [body, peeled.body]) {
      for (const hidden of [path[2]!.ed25519, destination.ed25519, destination.x25519]) {
        expect(holds(seen, encodeUtf8(hidden))).toBe(false)
      }
      expect(holds(seen, REQUEST)).toBe(false)
    }
  })

  it('is never sealed twice alike, and its keys are not those of another request (ON-10)', () => {
    const seal = () => sealOnion(crypto, random, nodes.slice(0, 2), toNode(destination), REQUEST)
    const [one, other] = [seal(), seal()]
    expect(encodeHex(one.body)).not.toBe(encodeHex(other.body))
    expect(one.replyKey.secret.equals(other.replyKey.secret)).toBe(false)
    const { peeled } = travelled(one.body, nodes[0]!)
    if (peeled.kind !== 'here') throw new Error(peeled.kind)
    const reply = sealReply(crypto, random, peeled.replyKey, { status: 200, body: '' })
    expect(openReply(crypto, other.replyKey, reply)).toBe(undefined)
  })

  it('goes to a web server, which alone opens the payload (ON-21, ON-45, ON-46)', () => {
    const address = { host: 'example.org', port: 443, protocol: 'https', target: '/oxen/v4/lsrpc' } as const
    const to = { kind: 'server', x25519: destination.x25519, ...address } as const
    const { body, replyKey } = sealOnion(crypto, random, nodes.slice(0, 3), to, REQUEST, { encryption: 'aes-gcm' })
    const { peeled } = travelled(body, nodes[0]!)
    if (peeled.kind !== 'server') throw new Error(peeled.kind)
    expect(peeled).toMatchObject(address)
    expect(holds(body, REQUEST) || holds(peeled.body, REQUEST)).toBe(false)
    const { payload, control } = decodeFrame(peeled.body)
    const header = parseHeader(control)!
    const opened = openLayer(crypto, destination.keys, header.encryption, header.ephemeralKey, payload)!
    expect(decodeUtf8(opened.text)).toBe(decodeUtf8(REQUEST))
    const answer = encodeBt([encodeUtf8('{"code":200}'), REQUEST])
    const reply = encryptWithLayerKey(crypto, random, opened.key, answer)
    expect(openServerReply(crypto, replyKey, reply)).toEqual({ code: 200, headers: {}, body: REQUEST })
    expect(openServerReply(crypto, replyKey, reply.slice(1))).toBe(undefined)
  })
})

describe.each(networks)('an onion request is bounded (%s)', (_, crypto, { nodes, destination, travelled }) => {
  it('is refused by the relay that gets hop 16, wherever the client began to count, but not by its destination (ON-03)', () => {
    const path = nodes.slice(0, 3)
    const { body } = sealOnion(crypto, random, path, toNode(destination), REQUEST)
    const begunAt = (hopNo: number) => concatBytes(body.slice(0, -1), encodeUtf8(`,"hop_no":${hopNo}}`))
    expect(travelled(begunAt(HOP_NO_MAX - 2), path[0]!)).toMatchObject({ peeled: { kind: 'here' } })
    const { peeled, passed } = travelled(begunAt(HOP_NO_MAX - 1), path[0]!)
    expect([peeled.kind === 'refused' && peeled.reason, passed]).toEqual(['hops', path])
  })

  it('has at most 15 relays (ON-03)', () => {
    const error = networkErrorOf(() => sealOnion(crypto, random, nodes.slice(0, HOP_NO_MAX + 1), toNode(destination), REQUEST))
    expect(error).toMatchObject({ code: 'malformed', retry: 'never' })
  })

  it('needs a relay before a server (ON-45)', () => {
    const server = { kind: 'server', x25519: destination.x25519, host: 'a', port: 1, protocol: 'http', target: '/' } as const
    expect(networkErrorOf(() => sealOnion(crypto, random, [], server, REQUEST)).code).toBe('malformed')
  })

  it('is not sealed for keys that a hostile list made up', () => {
    for (const x25519 of ['00'.repeat(32), `01${'00'.repeat(31)}`, 'zz'.repeat(32), '00', '']) {
      for (const path of [[{ ed25519: destination.ed25519, x25519 }], []]) {
        const to: OnionDestination = path.length === 0 ? { kind: 'node', ed25519: '', x25519 } : toNode(destination)
        const error = networkErrorOf(() => sealOnion(crypto, random, path, to, REQUEST))
        expect(error).toMatchObject({ code: 'malformed', retry: 'other-node' })
      }
    }
  })

  it('has at most 10 MiB, all layers counted (ON-01)', () => {
    const seal = (sizeBytes: number) =>
      sealOnion(crypto, random, nodes.slice(0, 1), toNode(destination), new Uint8Array(sizeBytes), { encryption: 'xchacha20' })
        .body
    const overheadBytes = seal(0).length
    const most = REQUEST_MAX_BYTES - overheadBytes
    expect(travelled(seal(most), nodes[0]!).peeled.kind).toBe('here')
    expect(networkErrorOf(() => seal(most + 1)).code).toBe('too-large')
    const tooLong = concatBytes(seal(most), Uint8Array.of(0x20))
    expect(peelOnion(crypto, nodes[0]!.keys, tooLong)).toMatchObject({ kind: 'refused', reason: 'form' })
  })
})

describe.each(networks)('an onion request leaks nothing (%s)', (_, crypto, { nodes, destination }) => {
  it('wipes what it does not hand out (ON-10)', () => {
    const secrets: Uint8Array[] = []
    const source = seededRandom(crypto, Uint8Array.of(1))
    const watched = {
      bytes(sizeBytes: number) {
        const bytes = source.bytes(sizeBytes)
        if (sizeBytes === 32) secrets.push(bytes)
        return bytes
      },
    }
    sealOnion(crypto, watched, nodes.slice(0, 3), toNode(destination), REQUEST)
    expect(secrets.map(bytes => encodeHex(bytes))).toEqual(Array(4).fill('00'.repeat(32)))
  })

  it('is refused in one way, whatever bit of the layer is another (ON-31)', () => {
    const { body } = sealOnion(crypto, random, nodes.slice(0, 1), toNode(destination), REQUEST)
    const sealedEnd = 4 + new DataView(body.buffer, body.byteOffset).getUint32(0, true)
    fc.assert(
      fc.property(fc.integer({ min: 4, max: sealedEnd - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = body.map((byte, index) => (index === at ? byte ^ change : byte))
        const refusal = { kind: 'refused', reason: 'ciphertext', status: 400, text: 'Invalid ciphertext' }
        expect(peelOnion(crypto, nodes[0]!.keys, changed)).toEqual(refusal)
      }),
      { numRuns: 100 },
    )
  })
})

describe.each(providers)('an onion reply (%s)', (_, crypto) => {
  const key = (): LayerKey => ({ encryption: 'xchacha20', secret: Secret.of(new Uint8Array(32).fill(3), 'onion-layer') })
  const forms = [false, true].flatMap(json => [false, true].map(base64 => ({ json, base64 })))

  it('brings back what was answered in each form (ON-41)', () => {
    const anyStatus = fc.integer({ min: 100, max: 599 })
    fc.assert(
      fc.property(anyStatus, fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(...forms), (status, body, form) => {
        const value = JSON.parse(JSON.stringify(body))
        const reply = sealReply(crypto, random, key(), { status, body: value }, form)
        expect(openReply(crypto, key(), reply, form)).toEqual({ status, body: value })
      }),
      { numRuns: 200 },
    )
  })

  it('is neither sealed nor opened beyond 16 MiB (ON-40)', () => {
    const bytes = { json: false, base64: false }
    const [overheadBytes, status] = [sealReply(crypto, random, key(), { status: 200, body: '' }, bytes).length, 200]
    const most = 'x'.repeat(ONION_REPLY_MAX_BYTES - overheadBytes)
    const reply = sealReply(crypto, random, key(), { status, body: most }, bytes)
    expect(reply).toHaveLength(ONION_REPLY_MAX_BYTES)
    expect(openReply(crypto, key(), reply, bytes)?.body).toHaveLength(most.length)
    expect(networkErrorOf(() => sealReply(crypto, random, key(), { status, body: `${most}x` }, bytes)).code).toBe('too-large')
    expect(openReply(crypto, key(), concatBytes(reply, Uint8Array.of(0)), bytes)).toBe(undefined)
  })
})

describe('what has no reply', () => {
  const relays = ['aa', 'bb', 'cc'].map(byte => byte.repeat(32))
  const [guard] = relays
  const destination = 'dd'.repeat(32)

  it('blames the guard when that is not reached, the path when nothing comes or opens (ON-43, ON-52, ON-54)', () => {
    const route = { relays, destination }
    expect(judgeFailure('unreachable', route)).toEqual({ blame: { kind: 'node', ed25519: guard }, retry: 'now' })
    expect(judgeFailure('timeout', route)).toEqual({ blame: { kind: 'path' }, retry: 'now' })
    expect(judgeFailure('unsealed', route)).toEqual({ blame: { kind: 'path' }, retry: 'now' })
  })

  it('blames the destination where it is its own guard and not reached (ON-52)', () => {
    const failure = judgeFailure('unreachable', { relays: [], destination })
    expect(failure).toEqual({ blame: { kind: 'node', ed25519: destination }, retry: 'other-node' })
  })

  it('never blames a node outside of the route, whatever is answered (ON-42, ON-50, ON-51)', () => {
    const words = ['Next node not found: ', 'Next node is currently unreachable: ', 'Snode not ready: ', '']
    const names = fc.constantFrom(...relays, destination, 'ee'.repeat(32), '')
    const anyText = fc.oneof(
      fc.tuple(fc.constantFrom(...words), names).map(parts => parts.join('')),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), anyText, fc.boolean(), (status, text, toServer) => {
        const route = { relays, destination: toServer ? undefined : destination }
        const { blame } = judgeFailure({ status, body: encodeUtf8(text) }, route)
        if (blame.kind === 'node') expect([relays[1], relays[2], route.destination]).toContain(blame.ed25519)
        if (blame.kind === 'destination') expect(toServer).toBe(true)
      }),
    )
  })

  it('is not read where it is long or no text', () => {
    const name = encodeUtf8(`Next node not found: ${relays[1]}`)
    for (const body of [concatBytes(name, new Uint8Array(1_000_000)), concatBytes(Uint8Array.of(255), name)]) {
      expect(judgeFailure({ status: 502, body }, { relays, destination }).blame).toEqual({ kind: 'path' })
    }
  })
})
