/** Devices of one account that hand history over, over a real network, and a look at what lies in its swarm. */
import { type AskOptions, Client, openMemoryStore, type RecordStore, type Transport } from '@session-v2/client'
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import { type Sent, transportWith } from './faults.ts'
import { type NetworkUnderTest, signerOf } from './network-under-test.ts'
import { newClient, UNLOCK } from './people.ts'
import { DAY_MS, type SimulatedTime } from './simulated-time.ts'

export class HistoryDevices {
  readonly network: NetworkUnderTest
  readonly time: SimulatedTime

  constructor(network: NetworkUnderTest, time: SimulatedTime) {
    this.network = network
    this.time = time
  }

  create(name: string, ports: object = {}): Promise<Client> {
    return newClient(this.network, name, { clock: this.time, ...ports })
  }

  /** Everybody syncs, one after the other, a minute apart: so often members look for asks. */
  async syncAll(...clients: Client[]): Promise<void> {
    for (const client of clients) {
      this.time.advance(61_000)
      await client.sync()
    }
  }

  /** For so long that what is not in the swarm counts as taken back. */
  async untilGone(...clients: Client[]): Promise<void> {
    for (let round = 0; round < 3; round++) {
      this.time.advance(300_000)
      await this.syncAll(...clients)
    }
  }

  /** Another device of the account, let in by the first. */
  async link(first: Client, store: RecordStore = openMemoryStore(), ports: object = {}): Promise<Client> {
    const recoveryPassword = first.recoveryPassword()
    const options = { unlock: UNLOCK, seeds: this.network.seeds, recoveryPassword, clock: this.time, ...ports }
    const other = await Client.restore({ ...options, store })
    await other.devices.ask()
    await other.devices.confirm()
    await first.sync()
    await first.devices.accept(first.devices.view().requests[0]!.id)
    await first.sync()
    await other.sync()
    await first.sync()
    return other
  }

  /** Texts to oneself of 8 KB each: seven of them fill a chunk. */
  async write(client: Client, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.time.advance(1000)
      await client.send(client.accountId, `${i}${'\u{1f600}'.repeat(1990)}`)
    }
  }

  /** A device with messages that the swarm no longer has, and one that was linked since. */
  async twoDevices(messages: number, ports: object = {}): Promise<{ alice: Client; second: Client }> {
    const alice = await this.create('Alice')
    await this.write(alice, messages)
    this.time.advance(15 * DAY_MS)
    return { alice, second: await this.link(alice, openMemoryStore(), ports) }
  }

  /** One device asks another, which agrees and has sent what it may send at a time. */
  async agreed(from: Client, to: Client, options: AskOptions = {}): Promise<string> {
    const { requestId } = await to.history.ask(options)
    await this.syncAll(from)
    await from.history.agree(requestId)
    return requestId
  }

  async handOver(from: Client, to: Client, options: AskOptions = {}): Promise<void> {
    await this.agreed(from, to, options)
    await this.syncAll(to, from, to)
  }

  /** How many messages of hand-overs the swarm has. */
  async left(client: Client): Promise<number> {
    const signer = signerOf(this.network.account(client.recoveryPassword()))
    const [controls, chunks] = [NAMESPACE.history, NAMESPACE.historyChunks].map(namespace =>
      this.network.retrieve(client.accountId, namespace, signer),
    )
    return (await controls!).length + (await chunks!).length
  }
}

/** Messages without what is of this device alone, in an order that is everywhere the same. */
export async function historyOf(client: Client): Promise<object[]> {
  const messages = await client.messages()
  return messages
    .map(({ cursor: _, handedOver: __, ...message }) => message)
    .sort((a, b) => a.sentAtMs - b.sentAtMs || (a.messageId < b.messageId ? -1 : 1))
}

type Listed = { data: string }[]

/** A transport that changes the list of chunks that a node hands out. */
export function listing(change: (chunks: Listed) => Listed): Transport {
  return transportWith(async ({ method, text }: Sent, send) => {
    const answer = await send()
    if (method !== 'batch' || !text.includes(`"namespace":${NAMESPACE.historyChunks}`)) return answer
    const body = JSON.parse(decodeUtf8(answer.body)) as { results: { body: { messages: Listed } }[] }
    body.results[1]!.body.messages = change(body.results[1]!.body.messages)
    return { ...answer, body: encodeUtf8(JSON.stringify(body)) }
  })
}
