/** A node of a process of its own, and a client at a known address that asks it for everything; what there is to look for afterwards. */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { decodeBase64, decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  BATCH_MAX_REQUESTS,
  buildDelete,
  buildDeleteAll,
  buildExpire,
  buildGetExpiries,
  buildMonitor,
  buildRetrieve,
  buildRevokeSubaccount,
  buildStore,
  encodeMonitor,
  grantSubaccount,
  type Namespace,
  NO_SWARM,
  ONION_REQUEST_PATH,
  type RequestSigner,
  type RpcRequest,
  type ServiceNode,
  STORAGE_RPC_PATH,
  sealOnion,
} from '@session-v2/network'
import { WebSocket } from 'ws'
import { HOST, NodeProcess } from './faults/node-process.ts'
import { listed } from './onion-network.ts'

const ADDRESS = '127.0.0.7'
const TEXT = 'what Alice wrote to Bob, and nobody else may read'
const SWARM = 1n
const HOUR_MS = 3_600_000
/** Nobody listens there. */
const CLOSED_PORT = 9

/** What to look for, each in all the forms in which it could be written. */
export interface Traces {
  /** Accounts that messages are stored for, and their public keys. */
  readonly account: readonly Buffer[]
  readonly key: readonly Buffer[]
  readonly hash: readonly Buffer[]
  /** What was stored, as it came. */
  readonly payload: readonly Buffer[]
  /** Of a subaccount. */
  readonly token: readonly Buffer[]
  /** An account that only sends and reads. */
  readonly sender: readonly Buffer[]
  readonly text: readonly Buffer[]
  readonly address: readonly Buffer[]
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers have every shape
  readonly body: any
}

export class SilentNode {
  readonly #crypto: Crypto
  readonly #node: NodeProcess
  readonly #agent = new Agent({ keepAlive: true, localAddress: ADDRESS })
  readonly #hashes: string[] = []
  readonly #payloads: Uint8Array[] = []

  private constructor(crypto: Crypto, node: NodeProcess) {
    this.#crypto = crypto
    this.#node = node
  }

  /** Settings are the defaults, but for the patience with a swarm of which nobody else answers. */
  static async start(directory: string, logSettings: string): Promise<SilentNode> {
    const crypto = await loadCrypto()
    const settings = `[swarm]\njoin_every_ms = 100\npatience_ms = 100\n${logSettings}`
    const node = await NodeProcess.create({ directory, settings })
    const peer = { ...listed(crypto, CLOSED_PORT), swarmId: SWARM }
    node.register([node.listed(SWARM), peer])
    await node.start()
    const silent = new SilentNode(crypto, node)
    const info: RpcRequest = { method: 'info', params: {} }
    while ((await silent.#ask(info)).status === 503) await new Promise(resolve => setTimeout(resolve, 20))
    return silent
  }

  metrics(): Promise<string> {
    return fetch(`http://${HOST}:${this.#node.metricsPort}/metrics`).then(answer => answer.text())
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    await this.#node.kill()
  }

  /** Every kind of request, also such as fail; returns what must not be found, or not everywhere. */
  async askForEverything(): Promise<Traces> {
    const [alice, bob, group] = [this.#newAccount('05'), this.#newAccount('05'), this.#newAccount('03')]
    const member = this.#member(group)
    const monitor = await this.#monitor(bob)
    await this.#writeAndRead(alice, bob)
    await this.#actAsMember(group, member)
    await this.#throughOnions(bob)
    await this.#fail(bob)
    await monitor.notified
    await this.#ask(buildDeleteAll(this.#crypto, { signer: bob, namespace: 2 as Namespace, timestampMs: Date.now() }))
    await this.#untilRefused()
    monitor.close()
    const keys = [bob, group, member].map(({ publicKey }) => publicKey)
    return {
      account: [bob, group].flatMap(({ accountId }) => formsOf(decodeHex(accountId))),
      key: keys.flatMap(formsOf),
      hash: this.#hashes.flatMap(hash => [Buffer.from(hash), ...formsOf(decodeBase64(hash))]),
      payload: this.#payloads.flatMap(payload => formsOf(payload.slice(0, 24))),
      token: formsOf(member.subaccount.token),
      sender: [...formsOf(decodeHex(alice.accountId)), ...formsOf(alice.publicKey)],
      text: [Buffer.from(TEXT), Buffer.from(Buffer.from(TEXT).toString('base64'))],
      address: [ADDRESS, '7f000007', '7f00:7', String(0x7f000007)].map(text => Buffer.from(text)),
    }
  }

  async #writeAndRead(alice: RequestSigner, bob: RequestSigner): Promise<void> {
    const crypto = this.#crypto
    for (const namespace of [0, 0, 2, 2, 21, 0]) await this.#store(bob, namespace)
    const first = this.#hashes[0]!
    await this.#expect(200, this.#retrieve(alice))
    await this.#expect(200, this.#retrieve(bob))
    await this.#expect(
      200,
      buildExpire(crypto, { signer: bob, hashes: [this.#hashes[1]!], expiriesMs: [Date.now() + 600_000], mode: 'set' }),
    )
    await this.#expect(200, buildGetExpiries(crypto, { signer: bob, hashes: [first], timestampMs: Date.now() }))
    await this.#expect(200, buildDelete(crypto, { signer: bob, hashes: [first] }))
    await this.#expect(200, { method: 'get_swarm', params: { pubkey: bob.accountId } })
    await this.#expect(200, { method: 'batch', params: { requests: [this.#retrieve(bob), this.#retrieve(alice)] } })
  }

  async #actAsMember(group: RequestSigner, member: RequestSigner): Promise<void> {
    await this.#store(group, 11, member)
    await this.#expect(200, this.#retrieve(member, 11))
    const tokens = [member.subaccount!.token]
    await this.#expect(200, buildRevokeSubaccount(this.#crypto, { signer: group, tokens, timestampMs: Date.now() }))
    await this.#expect(401, this.#retrieve(member, 11))
  }

  async #throughOnions(bob: RequestSigner): Promise<void> {
    const own = this.#node.listed(SWARM)
    const nowhere = { ...listed(this.#crypto, CLOSED_PORT), swarmId: NO_SWARM }
    for (const [path, to, asked] of [
      [[own], own, this.#retrieve(bob)],
      [[own, own], own, this.#retrieve(bob)],
      [[own], nowhere, this.#retrieve(bob)],
    ] as [ServiceNode[], ServiceNode, RpcRequest][]) {
      const payload = encodeUtf8(JSON.stringify(asked))
      const { body } = sealOnion(this.#crypto, systemRandom(), path, { kind: 'node', ...to }, payload)
      const { status } = await this.#post(ONION_REQUEST_PATH, body)
      if (status !== (to === own ? 200 : 502)) throw new Error(`an onion request was answered ${status}`)
    }
    await this.#post(ONION_REQUEST_PATH, encodeUtf8(`${TEXT} ${bob.accountId}`))
  }

  /** What cannot be read, is forged or nowhere, with everything in it that must not be written. */
  async #fail(bob: RequestSigner): Promise<void> {
    const { accountId } = bob
    const hash = this.#hashes[0]!
    const said = `${accountId} ${hash} ${TEXT} ${ADDRESS}`
    for (const body of [
      '{',
      said,
      `["${said}"]`,
      `{"method":"${said}","params":{}}`,
      `{"method":"store","params":{"pubkey":"${said}"}}`,
    ]) {
      await this.#post(STORAGE_RPC_PATH, encodeUtf8(body))
    }
    const forged = { ...bob, secretKey: this.#newAccount('05').secretKey }
    await this.#expect(401, this.#retrieve(forged))
    await this.#expect(401, buildDelete(this.#crypto, { signer: forged, hashes: [hash] }))
    await this.#expect(406, this.#retrieve(bob, 0, Date.now() - HOUR_MS))
    await this.#post(`/${accountId}/${hash}`, encodeUtf8(said))
    const headers = {
      'x-forwarded-for': ADDRESS,
      'x-session-node': accountId,
      'x-session-timestamp': hash,
      'x-session-signature': TEXT,
    }
    await this.#post('/swarm_rpc/v1', encodeUtf8(said), headers)
    await this.#post('/ping_test/v1', encodeUtf8(said), headers)
    await new Promise(resolve => {
      const socket = connect({ port: this.#node.port, host: HOST, localAddress: ADDRESS }, () => socket.end(`${said}\r\n\r\n`))
      socket.on('error', resolve).on('close', resolve).resume()
    })
  }

  async #untilRefused(): Promise<void> {
    const requests = Array.from({ length: BATCH_MAX_REQUESTS }, (): RpcRequest => ({ method: 'info', params: {} }))
    for (;;) {
      const asked = Array.from({ length: 20 }, () => this.#ask({ method: 'batch', params: { requests } }))
      if ((await Promise.all(asked)).some(({ status }) => status === 429)) return
    }
  }

  /** Resolves once subscribed; `notified` once a message was told. */
  async #monitor(signer: RequestSigner): Promise<{ notified: Promise<unknown>; close(): void }> {
    const socket = new WebSocket(`ws://${HOST}:${this.#node.port}/monitor/v1`, { localAddress: ADDRESS })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.send(TEXT)
    await new Promise(resolve => socket.once('message', resolve))
    const timestampS = Math.floor(Date.now() / 1000)
    const params = buildMonitor(this.#crypto, {
      namespaces: [0, 2].map(each => each as Namespace),
      timestampS,
      signer,
      wantData: true,
    })
    socket.send(Buffer.from(encodeMonitor(params, 'json')).toString())
    await new Promise(resolve => socket.once('message', resolve))
    return { notified: new Promise(resolve => socket.once('message', resolve)), close: () => socket.terminate() }
  }

  /** Sealed: nobody but the owner knows a key for it. */
  async #store(owner: RequestSigner, namespace: number, signer = owner): Promise<void> {
    const payload = systemRandom().bytes(1024)
    const key = systemRandom().bytes(payload.length)
    for (const [i, byte] of encodeUtf8(`${TEXT}`).entries()) payload[i] = byte ^ key[i]!
    const parts = {
      accountId: owner.accountId,
      namespace: namespace as Namespace,
      payload,
      timestampMs: Date.now(),
      ttlMs: HOUR_MS,
    }
    const { body } = await this.#expect(200, buildStore(this.#crypto, namespace % 10 === 0 ? parts : { ...parts, signer }))
    this.#hashes.push(body.hash)
    this.#payloads.push(payload)
  }

  #retrieve(signer: RequestSigner, namespace = 0, timestampMs = Date.now()): RpcRequest {
    const { accountId } = signer
    return buildRetrieve(this.#crypto, { accountId, namespace: namespace as Namespace, timestampMs, signer })
  }

  #newAccount(prefix: string): RequestSigner {
    const { publicKey, secretKey } = ed25519KeyPair(this.#crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
    const key = prefix === '05' ? ed25519PublicToX25519(this.#crypto, publicKey) : publicKey
    return { accountId: prefix + encodeHex(key), publicKey, secretKey }
  }

  #member(group: RequestSigner): RequestSigner & Required<Pick<RequestSigner, 'subaccount'>> {
    const { publicKey: subaccountKey, secretKey } = this.#newAccount('03')
    const { accountId, publicKey } = group
    // Reading, writing, deleting.
    const options = { accountId, secretKey: group.secretKey, subaccountKey, rights: 7 }
    return { accountId, publicKey, secretKey, subaccount: grantSubaccount(this.#crypto, options) }
  }

  async #expect(status: number, asked: RpcRequest): Promise<Answer> {
    const answer = await this.#ask(asked)
    if (answer.status !== status) throw new Error(`${asked.method} was answered ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }

  #ask({ method, params }: RpcRequest): Promise<Answer> {
    return this.#post(STORAGE_RPC_PATH, encodeUtf8(JSON.stringify({ method, params })))
  }

  #post(path: string, body: Uint8Array, more: Record<string, string> = {}): Promise<Answer> {
    const headers = { 'content-length': String(body.length), ...more }
    const options = { host: HOST, port: this.#node.port, path, method: 'POST', agent: this.#agent, headers }
    return new Promise((resolve, reject) => {
      const sent = request(options, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode!, body: jsonOrText(Buffer.concat(chunks).toString()) }))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}

/** Bytes as they are, with and without a first byte that says of what kind they are, and as the texts that are made of them. */
function formsOf(bytes: Uint8Array): Buffer[] {
  const whole = Buffer.from(bytes)
  return [whole, ...(bytes.length === 33 ? [whole.subarray(1)] : [])].flatMap(each => {
    const texts = [
      each.toString('hex'),
      each.toString('hex').toUpperCase(),
      ...(['base64', 'base64url'] as const).map(form => each.toString(form)),
    ]
    return [each, ...texts.map(text => Buffer.from(text.replace(/=+$/, '').slice(0, 42)))]
  })
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
