/**
 * What an onion request through three relays costs the nodes beside the same request asked directly, in CPU time: connections
 * kept, in alternating rounds. All nodes share a process, so that its time (Linux: /proc) is that of four hops; the
 * client, which seals and opens, is this one. Beside it stands the time until the answer is read, the client's included.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Crypto, ed25519KeyPair, type Random, Secret, wipe } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildRetrieve,
  buildStore,
  decodeServiceNodes,
  type Namespace,
  ONION_REQUEST_PATH,
  type OnionEncryption,
  openReply,
  type RequestSigner,
  type RpcRequest,
  type ServiceNode,
  STORAGE_RPC_PATH,
  sealOnion,
} from '@session-v2/network'
import { type Comparison, type Figure, median, printComparison, round } from './harness.ts'
import { cpuUs } from './storage-rpc.bench.ts'
import type { Subjects } from './subjects.ts'

const ROUNDS = 9
const REQUESTS_A_ROUND = 300
/** Requests under way at once: nodes that idle in between would cost more, and differently each time. */
const WORKERS = 8
const MESSAGES = 10
const MESSAGE_BYTES = 1024
const TTL_MS = 86_400_000
const DIRECT = 'direct'

type Ask = (request: RpcRequest) => Promise<number>

interface RoundResult {
  /** Of all nodes, a request. */
  readonly cpuUs: number
  /** From the request to its answer. */
  readonly latencyUs: number
}

export async function benchOnion({ native, random }: Subjects): Promise<Comparison[]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./peers/relay-network.js', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const agent = new Agent({ keepAlive: true })
  try {
    const nodes = await listNodes(agent, await seedOf(child))
    const owner = newAccount(native, random)
    const destination = nodes.at(-1)!
    const direct: Ask = asked => post(agent, destination, STORAGE_RPC_PATH, bodyOf(asked)).then(({ status }) => status)
    for (let i = 0; i < MESSAGES; i++) await direct(storeOf(native, random, owner))
    const ways: [string, Ask][] = [
      [DIRECT, direct],
      ...(['xchacha20', 'aes-gcm'] as const).map((encryption): [string, Ask] => {
        return [`three relays, ${encryption}`, onionAsk(native, random, agent, nodes, encryption)]
      }),
    ]
    return [
      await compareWays('Onion, CPU of the nodes: info', child.pid!, ways, () => ({ method: 'info', params: {} })),
      await compareWays(`Onion, CPU of the nodes: retrieve ${MESSAGES} of 1 KB`, child.pid!, ways, () =>
        retrieveOf(native, owner),
      ),
    ]
  } finally {
    agent.destroy()
    child.kill('SIGTERM')
  }
}

async function compareWays(
  title: string,
  pid: number,
  ways: readonly [string, Ask][],
  asked: () => RpcRequest,
): Promise<Comparison> {
  const samples = ways.map(() => [] as RoundResult[])
  for (const [, ask] of ways) await measureRound(pid, ask, asked, WORKERS)
  for (let i = 0; i < ROUNDS; i++) {
    for (const [index, [, ask]] of ways.entries()) samples[index]!.push(await measureRound(pid, ask, asked, WORKERS))
  }
  const cpu = samples.map(rounds => median(rounds.map(result => result.cpuUs)))
  const rows = ways.map(([name], i) => ({ name, medianUs: round(cpu[i]!), ratio: round(cpu[i]! / cpu[0]!) }))
  const figures: Figure[] = []
  for (const [name, ask] of ways) {
    const { latencyUs } = await measureRound(pid, ask, asked, 1)
    figures.push({ name: `${name}, answered after`, value: latencyUs, unit: 'µs' })
  }
  const comparison = { title, baseline: DIRECT, rows, figures }
  printComparison(comparison)
  return comparison
}

/** `workers` requests are under way at any time. */
async function measureRound(pid: number, ask: Ask, asked: () => RpcRequest, workers: number): Promise<RoundResult> {
  const requests = Array.from({ length: REQUESTS_A_ROUND }, asked)
  const times: number[] = []
  const before = cpuUs(pid)
  const work = async () => {
    for (let each = requests.pop(); each !== undefined; each = requests.pop()) {
      const start = process.hrtime.bigint()
      const status = await ask(each)
      times.push(Number(process.hrtime.bigint() - start) / 1000)
      if (status !== 200) throw new Error(`answered ${status}`)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  return { cpuUs: (cpuUs(pid) - before) / REQUESTS_A_ROUND, latencyUs: median(times) }
}

function onionAsk(crypto: Crypto, random: Random, agent: Agent, nodes: readonly ServiceNode[], encryption: OnionEncryption): Ask {
  const relays = nodes.slice(0, -1)
  const destination = { kind: 'node', ...nodes.at(-1)! } as const
  return async asked => {
    const { body, replyKey } = sealOnion(crypto, random, relays, destination, bodyOf(asked), { encryption })
    const answer = await post(agent, relays[0]!, ONION_REQUEST_PATH, body)
    const reply = openReply(crypto, replyKey, answer.body)
    wipe(replyKey.secret.expose())
    return reply?.status ?? answer.status
  }
}

function bodyOf(asked: RpcRequest): Uint8Array {
  return encodeUtf8(JSON.stringify(asked))
}

function newAccount(crypto: Crypto, random: Random): RequestSigner {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(random.bytes(32), 'ed25519-seed'))
  return { accountId: `03${encodeHex(publicKey)}`, publicKey, secretKey }
}

function storeOf(crypto: Crypto, random: Random, { accountId }: RequestSigner): RpcRequest {
  const namespace = 0 as Namespace
  const payload = random.bytes(MESSAGE_BYTES)
  return buildStore(crypto, { accountId, namespace, payload, timestampMs: Date.now(), ttlMs: TTL_MS })
}

function retrieveOf(crypto: Crypto, signer: RequestSigner): RpcRequest {
  const { accountId } = signer
  return buildRetrieve(crypto, { accountId, namespace: 0 as Namespace, timestampMs: Date.now(), signer })
}

async function seedOf(child: ChildProcess): Promise<URL> {
  for await (const line of createInterface({ input: child.stdout! })) return new URL(JSON.parse(line).seed)
  throw new Error('the network did not start')
}

async function listNodes(agent: Agent, seed: URL): Promise<readonly ServiceNode[]> {
  const asked = { jsonrpc: '2.0', id: 0, method: 'get_n_service_nodes', params: {} }
  const address = { host: seed.hostname, port: Number(seed.port) }
  const { body } = await post(agent, address, '/json_rpc', encodeUtf8(JSON.stringify(asked)))
  return decodeServiceNodes(JSON.parse(body.toString()).result.service_node_states)
}

function post(
  agent: Agent,
  { host, port }: Pick<ServiceNode, 'host' | 'port'>,
  path: string,
  body: Uint8Array,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length }
    const outgoing = request({ host, port, path, method: 'POST', agent, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
