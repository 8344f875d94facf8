/**
 * The third part of `acceptance.test.ts`: what takes several nodes. Swarms answer for their own accounts, all members sign, and onion
 * requests go through relays. `NETWORK_URL` names a node of another network to test, with two swarms of three nodes or more.
 */
import { createCipheriv, createDecipheriv, createHmac, diffieHellman, randomBytes } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Account,
  type Answer,
  hashOf,
  isSignedBy,
  newAccount,
  newSubaccount,
  privateKey,
  publicBytes,
  publicKey,
  retrieveParams,
  sendTo,
  storeParams,
  Target,
  targetNetwork,
} from './acceptance-client.ts'

interface Listed {
  readonly pubkey_ed25519: string
  readonly pubkey_x25519: string
  readonly swarm: string
  readonly url: string
}

let network: Awaited<ReturnType<typeof targetNetwork>>
let node: Target
let nodes: readonly Listed[]

beforeAll(async () => {
  network = await targetNetwork('NETWORK_URL')
  node = await Target.at(network.url)
  const { body } = await node.ask('oxend_request', { endpoint: 'get_service_nodes', params: { active_only: true } })
  const { protocol } = new URL(node.url)
  nodes = body.result.service_node_states.map((state: Listed & { public_ip: string; storage_port: number }) => {
    return { ...state, url: `${protocol}//${state.public_ip}:${state.storage_port}` }
  })
})
afterAll(() => network.close())

/** An account, its swarm, and a node of another one. The nearest swarm on the ring is its own. */
async function placed(): Promise<{ readonly account: Account; readonly own: readonly Target[]; readonly foreign: Target }> {
  const account = newAccount()
  const words = [0, 8, 16, 24].map(at => Buffer.from(account.id.slice(2), 'hex').readBigUInt64BE(at))
  const space = words.reduce((sum, word) => sum ^ word)
  const distance = ({ swarm }: Listed) => {
    const ahead = BigInt.asUintN(64, BigInt(`0x${swarm}`) - space)
    return ahead < 1n << 63n ? ahead : (1n << 64n) - ahead
  }
  const [nearest] = nodes.toSorted((a, b) => (distance(a) < distance(b) ? -1 : 1))
  const own = await Promise.all(nodes.filter(({ swarm }) => swarm === nearest!.swarm).map(({ url }) => Target.at(url)))
  return { account, own, foreign: await Target.at(nodes.find(({ swarm }) => swarm !== nearest!.swarm)!.url) }
}

describe('a swarm (RPC-70, RPC-40, RPC-22)', () => {
  it('sends who asks a node of another one to its members, whatever is asked', async () => {
    const { account, own, foreign } = await placed()
    const { id: pubkey, sign } = account
    const { body: swarm } = await foreign.ask('get_swarm', { pubkey })
    const members = swarm.snodes.map((member: Listed) => member.pubkey_ed25519)
    expect(members.sort()).toEqual(own.map(({ ed25519 }) => ed25519).sort())
    const [now, signature, messages] = [Date.now(), sign('another text'), ['A'.repeat(43)]]
    const revoke = newSubaccount(account, 1).token.toString('base64')
    const requests: [string, object][] = [
      ['store', { timestamp: now, ttl: 1, data: '' }],
      ['retrieve', {}],
      ['delete', { messages, signature }],
      ['delete_all', { timestamp: 1e9, signature }],
      ['delete_before', { before: now, signature }],
      ['expire', { messages, expiry: now, signature }],
      ['expire_all', { expiry: now, signature }],
      ['get_expiries', { messages, timestamp: now, signature }],
      ['revoke_subaccount', { revoke, timestamp: now, signature }],
      ['unrevoke_subaccount', { unrevoke: revoke, timestamp: now, signature }],
      ['revoked_subaccounts', { timestamp: now, signature }],
    ]
    for (const [method, fields] of requests) {
      const { status, body } = await foreign.ask(method, { pubkey, ...fields })
      const { t, hf } = swarm
      expect([method, status, { ...body, t, hf }]).toEqual([method, 421, swarm])
    }
    const { results } = (await foreign.ask('batch', { requests: [{ method: 'retrieve', params: { pubkey } }] })).body
    expect(results).toMatchObject([{ code: 421, body: { swarm: swarm.swarm, snodes: swarm.snodes } }])
    expect((await foreign.ask('retrieve', { pubkey, namespace: 2 })).status).toBe(400)
  })
  it('keeps a message at every member, each of which signs, and deletes it at every one', async () => {
    const { account, own } = await placed()
    const hash = hashOf(account, 0, 'x')
    const bySelf = async (method: string, params: object, text: string): Promise<Record<string, unknown>[]> => {
      const { status, body } = await own[1]!.ask(method, params)
      expect([status, Object.keys(body.swarm).sort()]).toEqual([200, own.map(({ ed25519 }) => ed25519).sort()])
      for (const [ed25519, { signature }] of Object.entries<{ signature: string }>(body.swarm))
        expect(isSignedBy(ed25519, signature, text)).toBe(true)
      return Object.values(body.swarm)
    }
    const stored = await bySelf('store', storeParams(account, 0, 'x'), hash)
    expect(stored.map(({ already }) => already)).toEqual(own.map(() => undefined))
    for (const { already } of await bySelf('store', storeParams(account, 0, 'x'), hash)) expect([1, true]).toContain(already)
    for (const member of own) expect(await member.texts(account)).toEqual(['x'])
    const signature = account.sign(`delete${hash}`)
    const params = { pubkey: account.id, messages: [hash], ...account.auth, signature }
    for (const { deleted } of await bySelf('delete', params, account.id + hash + hash)) expect(deleted).toEqual([hash])
    for (const member of own) expect(await member.texts(account)).toEqual([])
  })
})

type Cipher = 'aes-gcm' | 'xchacha20'

/** A layer for a node, and what opens the reply to it. */
function seal(cipher: Cipher, x25519: string, text: Uint8Array) {
  const [secret, theirs] = [privateKey('x25519', randomBytes(32)), Buffer.from(x25519, 'hex')]
  const shared = diffieHellman({ privateKey: secret, publicKey: publicKey('x25519', theirs) })
  const ephemeral = publicBytes(secret)
  if (cipher === 'xchacha20') {
    const key = blake2b(Buffer.concat([shared, ephemeral, theirs]), { dkLen: 32 })
    const nonce = randomBytes(24)
    const ciphertext = Buffer.concat([nonce, xchacha20poly1305(key, nonce).encrypt(text)])
    const open = (bytes: Buffer) => Buffer.from(xchacha20poly1305(key, bytes.subarray(0, 24)).decrypt(bytes.subarray(24)))
    return { ciphertext, beside: { ephemeral_key: ephemeral.toString('hex'), enc_type: cipher }, open }
  }
  const key = createHmac('sha256', 'LOKI').update(shared).digest()
  const iv = randomBytes(12)
  const gcm = createCipheriv('aes-256-gcm', key, iv)
  const ciphertext = Buffer.concat([iv, gcm.update(text), gcm.final(), gcm.getAuthTag()])
  const open = (bytes: Buffer) => {
    const opened = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16))
    return Buffer.concat([opened.update(bytes.subarray(12, -16)), opened.final()])
  }
  return { ciphertext, beside: { ephemeral_key: ephemeral.toString('hex') }, open }
}

function frame(payload: Uint8Array, control: object | string): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(payload.length)
  return Buffer.concat([size, payload, Buffer.from(typeof control === 'string' ? control : JSON.stringify(control))])
}

interface Onion {
  readonly cipher?: Cipher
  /** Of the last layer. */
  readonly control?: object
  /** Beside the outermost layer. */
  readonly outer?: object
}

interface OnionAnswer extends Answer {
  /** What the destination sealed; undefined for what others wrote. */
  readonly reply?: { readonly status: number; readonly body: unknown }
}

/** Asks the last of these nodes through the others. */
async function ask(path: readonly Listed[], payload: string, onion: Onion = {}): Promise<OnionAnswer> {
  const { cipher = 'aes-gcm', control = { headers: {} }, outer = {} } = onion
  const innermost = seal(cipher, path.at(-1)!.pubkey_x25519, frame(Buffer.from(payload), control))
  let layer = innermost
  for (let at = path.length - 2; at >= 0; at--) {
    const towards = { destination: path[at + 1]!.pubkey_ed25519, ...layer.beside }
    layer = seal(cipher, path[at]!.pubkey_x25519, frame(layer.ciphertext, towards))
  }
  const answer = await post(path[0]!, frame(layer.ciphertext, { ...layer.beside, ...outer }))
  if (answer.status !== 200) return answer
  const isBase64 = !('base64' in control && control.base64 === false)
  const sealed = isBase64 ? Buffer.from(answer.bytes.toString(), 'base64') : answer.bytes
  return { ...answer, reply: JSON.parse(innermost.open(sealed).toString()) }
}

function post({ url }: Listed, body: Buffer): Promise<Answer> {
  return sendTo(`${url}/onion_req/v2`, { body: new Uint8Array(body) })
}

const INFO = '{"method":"info","params":{}}'

describe('an onion request', () => {
  it.each<[Cipher, number]>([
    ['aes-gcm', 0],
    ['aes-gcm', 3],
    ['xchacha20', 0],
    ['xchacha20', 3],
    ['xchacha20', 5],
  ])('in %s is answered behind %i relays (ON-11, ON-40)', async (cipher, relays) => {
    const { reply } = await ask(nodes.slice(0, relays + 1), INFO, { cipher })
    expect([reply?.status, JSON.parse(reply?.body as string)]).toEqual([
      200,
      expect.objectContaining({ version: expect.any(Array) }),
    ])
  })
  it('is answered in the form it asks for (ON-41)', async () => {
    const path = nodes.slice(0, 2)
    const version = expect.objectContaining({ version: expect.any(Array) })
    for (const form of [{ json: true }, { json: true, base64: false }])
      expect((await ask(path, INFO, { control: { headers: null, ...form } })).reply).toEqual({ status: 200, body: version })
  })
  it('is refused within the reply by its destination (ON-42)', async () => {
    const { account, foreign } = await placed()
    const last = nodes.find(({ pubkey_ed25519 }) => pubkey_ed25519 === foreign.ed25519)!
    const path = [nodes[0]!, nodes[1]!, last]
    const retrieve = JSON.stringify({ method: 'retrieve', params: retrieveParams(account, 0) })
    const { reply } = await ask(path, retrieve)
    expect([reply?.status, JSON.parse(reply?.body as string).snodes.length > 0]).toEqual([421, true])
    expect((await ask(path, 'nonsense')).reply).toEqual({ status: 400, body: 'invalid json' })
    for (const control of [{}, { host: 'x' }, { destination: last.pubkey_ed25519 }, { host: 'example.org', target: '/x' }])
      expect((await ask([last], '', { control })).reply).toEqual({ status: 400, body: 'Invalid json' })
  })
  it('passes 15 hops, of which a negative number is none (ON-03)', async () => {
    const path = nodes.slice(0, 4)
    for (const hop_no of [-5, 0, 12]) expect((await ask(path, INFO, { outer: { hop_no } })).reply?.status).toBe(200)
    const { status, body } = await ask(path, INFO, { outer: { hop_no: 14 } })
    expect([status, body]).toEqual([400, 'onion request max path length exceeded'])
  })
  it('is refused in the clear where it cannot be opened or sent on (ON-30, ON-72)', async () => {
    const [first] = nodes as [Listed]
    const { ciphertext, beside } = seal('xchacha20', first.pubkey_x25519, frame(Buffer.from(INFO), { headers: {} }))
    const wrong = Buffer.from(ciphertext)
    wrong[30]! ^= 1
    for (const bytes of [wrong, ciphertext.subarray(0, 20), Buffer.alloc(0)])
      expect(await post(first, frame(bytes, beside))).toMatchObject({ status: 400, body: 'Invalid ciphertext' })
    const unread = [
      Buffer.alloc(3),
      frame(ciphertext, 'x'),
      frame(ciphertext, {}),
      frame(ciphertext, { ...beside, enc_type: 'x' }),
    ]
    const parsing = expect.stringMatching(/^Error parsing onion request: /)
    for (const bytes of unread) expect(await post(first, bytes)).toMatchObject({ status: 400, body: parsing })
    const nobody = 'cd'.repeat(32)
    const lost = seal('xchacha20', first.pubkey_x25519, frame(ciphertext, { destination: nobody, ...beside }))
    const { status, body } = await post(first, frame(lost.ciphertext, lost.beside))
    expect([status, body]).toEqual([502, `Next node not found: ${nobody}`])
  })
})
