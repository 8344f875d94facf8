/**
 * The load that benches put on storage nodes: requests over kept-alive connections, a fixed number under way at once, every answer
 * read and looked at. An answer that is not the expected one ends the bench: no error is counted as work done.
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { type Crypto, ed25519KeyPair, type Random, Secret } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { buildStore, type Namespace, type RequestSigner, type RpcRequest, STORAGE_RPC_PATH } from '@session-v2/network'

export const MESSAGE_BYTES = 1024
export const INBOX = 0 as Namespace
const TTL_MS = 86_400_000

/** Where requests go in. */
export interface Entry {
  readonly port: number
  readonly agent: Agent
}

export function openEntry(port: number): Entry {
  return { port, agent: new Agent({ keepAlive: true }) }
}

export function newAccount(crypto: Crypto, random: Random): RequestSigner {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(random.bytes(32), 'ed25519-seed'))
  return { accountId: `03${encodeHex(publicKey)}`, publicKey, secretKey }
}

/** A store of fresh random bytes. */
export function storeOf(crypto: Crypto, random: Random, accountId: string, sizeBytes = MESSAGE_BYTES): RpcRequest {
  const payload = random.bytes(sizeBytes)
  return buildStore(crypto, { accountId, namespace: INBOX, payload, timestampMs: Date.now(), ttlMs: TTL_MS })
}

/** The body of an answer. Rejects unless its status is 200. */
// biome-ignore lint/suspicious/noExplicitAny: answers of every method
export function ask({ port, agent }: Entry, asked: string): Promise<any> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(asked) }
    const outgoing = request({ host: '127.0.0.1', port, path: STORAGE_RPC_PATH, method: 'POST', agent, headers }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(JSON.parse(body))
        else reject(new Error(`answered ${response.statusCode}: ${body.slice(0, 200)}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(asked)
  })
}

/** Asks `requests` in order, `workers` at once, each answer given to `check`; resolves to the seconds it took. */
export async function askAll(
  entries: readonly Entry[],
  requests: readonly string[],
  workers: number,
  // biome-ignore lint/suspicious/noExplicitAny: answers of every method
  check: (answer: any, index: number) => void,
): Promise<number> {
  let next = 0
  const start = process.hrtime.bigint()
  const work = async (entry: Entry) => {
    while (next < requests.length) {
      const index = next++
      check(await ask(entry, requests[index]!), index)
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, i) => work(entries[i % entries.length]!)))
  return Number(process.hrtime.bigint() - start) / 1e9
}

/** Throws unless each of `members` has acknowledged a store. */
export function checkStored(answer: { readonly swarm?: Readonly<Record<string, object>> }, members: number): void {
  const entries = Object.values(answer.swarm ?? {})
  const stored = entries.filter(entry => 'hash' in entry && !('failed' in entry))
  if (entries.length !== members || stored.length !== members)
    throw new Error(`stored by ${stored.length} of ${members} members: ${JSON.stringify(answer).slice(0, 400)}`)
}

/** What a process has in memory now, and has had at most, in MB of 10⁶ bytes. */
export function residentMb(pid: number): { readonly nowMb: number; readonly peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6
  return { nowMb: mb('VmRSS'), peakMb: mb('VmHWM') }
}
