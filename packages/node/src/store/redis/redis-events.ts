/**
 * Events between the front ends of one node (clauses NODE-146, NODE-147). They are names: a front end whose subscribers wait for a message
 * reads it from the cluster, and the others have next to nothing to do.
 *
 * All go through one channel of one master (SSUBSCRIBE, SPUBLISH). A channel that is not sharded would be sent on to every node of the
 * cluster: with three masters and their replicas it cost the cluster three times as much. What is gathered for 5 ms goes as one
 * message, because a message costs about the same whether it holds one event or fifty: about 1 µs an event in place of 20. So one
 * channel will do, and there is one connection to watch over.
 */
import type { Random } from '@session-v2/crypto'
import type { Cluster } from 'ioredis'
import type { RedisStoreConfig } from '../../config/store-config.ts'
import { describeException, type Log } from '../../log.ts'
import { NodeError } from '../../node-error.ts'
import type { Timers } from '../../ports.ts'
import type { ItemName, MessageStore } from '../store.ts'
import { LocalStoreEvents, type StoreEvent, type StoreEvents, type StoreListener } from '../store-events.ts'
import { clusterClients, textOf } from './cluster-connection.ts'
import { decodeMessage, encodeEvent, encodeMessage, MESSAGE_MAX_EVENTS, SENDER_BYTES } from './event-messages.ts'
import { Keys } from './names.ts'

/** Events that wait to be sent, and as many messages that wait to be read; what comes beyond is lost. */
export const EVENTS_WAITING_MAX = 10_000
/** Between two signs of life. Who has not heard the own one by the next connects anew. */
export const SIGN_MS = 5_000
const GATHER_MS = 5
/** Messages that are read at a time: with their content and proofs at most 18 MB. */
const READ_SLICE = 16

export interface RedisEventsPorts {
  readonly timers: Timers
  readonly random: Random
  readonly log: Log
}

type Awaits = (account: Uint8Array) => boolean

export class RedisEvents implements StoreEvents {
  lost = 0
  readonly #newClient: () => Cluster
  readonly #channel: string
  readonly #store: Pick<MessageStore, 'items'>
  readonly #ports: RedisEventsPorts
  readonly #local: LocalStoreEvents
  readonly #sender: Buffer
  readonly #awaits = new Set<Awaits>()
  #client: Cluster
  #unsent: Buffer[] = []
  #unread: ItemName[] = []
  #cancelSending: (() => void) | undefined
  #sending: Promise<void> | undefined
  #reading: Promise<void> | undefined
  #cancelSign = (): void => {}
  #isHeard = true
  #closed = false

  constructor(newClient: () => Cluster, channel: string, store: Pick<MessageStore, 'items'>, ports: RedisEventsPorts) {
    this.#newClient = newClient
    this.#channel = channel
    this.#store = store
    this.#ports = ports
    this.#local = new LocalStoreEvents(ports.log)
    this.#sender = Buffer.from(ports.random.bytes(SENDER_BYTES))
    this.#client = newClient()
  }

  /** Begins to listen to the others. Rejects where the channel may not be used; otherwise it is tried again with each sign of life. */
  async start(): Promise<void> {
    try {
      await this.#subscribe(this.#client)
    } catch (cause) {
      const refusal = refusalOf(cause)
      if (refusal !== undefined) {
        await this.close()
        throw refusal
      }
      this.#isHeard = false
    }
    this.#cancelSign = this.#ports.timers.after(SIGN_MS, this.#sign)
  }

  publish(event: StoreEvent): void {
    this.#local.publish(event)
    if (this.#closed) return
    if (this.#unsent.length >= EVENTS_WAITING_MAX) {
      this.lost += 1
      return
    }
    this.#unsent.push(encodeEvent(event))
    this.#gather()
  }

  listen(listener: StoreListener, awaits: Awaits = () => true): () => void {
    const own: Awaits = account => awaits(account)
    this.#awaits.add(own)
    const stop = this.#local.listen(listener)
    return () => {
      this.#awaits.delete(own)
      stop()
    }
  }

  /** Sends what waits, as far as it is one message, and says and hears no more. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cancelSign()
    this.#cancelSending?.()
    await this.#sending
    if (this.#unsent.length > 0) await this.#send()
    this.#drop(this.#client)
    await this.#reading
    await this.#local.close()
  }

  #gather(): void {
    if (this.#cancelSending !== undefined || this.#sending !== undefined || this.#closed) return
    this.#cancelSending = this.#ports.timers.after(GATHER_MS, () => {
      this.#cancelSending = undefined
      this.#sending = this.#send().finally(() => {
        this.#sending = undefined
        if (this.#unsent.length > 0) this.#gather()
      })
    })
  }

  /** One message. It is not sent again when it fails: it may have arrived. */
  async #send(): Promise<void> {
    const events = this.#unsent.splice(0, MESSAGE_MAX_EVENTS)
    try {
      await this.#client.spublish(this.#channel, encodeMessage(this.#sender, events))
    } catch {
      this.lost += events.length
    }
  }

  readonly #sign = (): void => {
    if (!this.#isHeard) void this.#reconnect()
    this.#isHeard = false
    void this.#send()
    this.#cancelSign = this.#ports.timers.after(SIGN_MS, this.#sign)
  }

  async #reconnect(): Promise<void> {
    this.#ports.log.warn('the other front ends are not heard: connecting anew')
    this.#drop(this.#client)
    const client = this.#newClient()
    this.#client = client
    try {
      await this.#subscribe(client)
      // To be heard before the next sign is due.
      await this.#send()
    } catch (error) {
      this.#ports.log.warn({ reason: refusalOf(error)?.message ?? 'no answer' }, 'the other front ends cannot be heard')
    }
  }

  #drop(client: Cluster): void {
    client.removeAllListeners('smessageBuffer')
    client.disconnect()
  }

  async #subscribe(client: Cluster): Promise<void> {
    client.on('smessageBuffer', (_channel: Buffer, message: Buffer) => this.#receive(message))
    await client.connect()
    if (client === this.#client && !this.#closed) await client.ssubscribe(this.#channel)
  }

  #receive(bytes: Buffer): void {
    const message = decodeMessage(bytes)
    if (message === undefined) return
    if (this.#sender.equals(message.sender)) {
      this.#isHeard = true
      return
    }
    for (const event of message.events) {
      if (!this.#isAwaited(event.account)) continue
      if (event.kind === 'revoked') this.#local.publish(event)
      else if (this.#unread.length >= EVENTS_WAITING_MAX) this.lost += 1
      else this.#unread.push({ ...event, account: new Uint8Array(event.account) })
    }
    if (this.#unread.length > 0 && this.#reading === undefined) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined
      })
    }
  }

  #isAwaited(account: Uint8Array): boolean {
    for (const awaits of this.#awaits) if (awaits(account)) return true
    return false
  }

  /** Tells of messages that are still there. */
  async #read(): Promise<void> {
    while (this.#unread.length > 0 && !this.#closed) {
      const names = this.#unread.splice(0, READ_SLICE)
      try {
        for (const { account, namespace, hash, expiryMs, message } of await this.#store.items(names, Number.MAX_SAFE_INTEGER)) {
          if (message === undefined) continue
          this.#local.publish({ kind: 'stored', message: { account, namespace, hash, expiryMs, ...message } })
        }
      } catch (error) {
        this.lost += names.length
        this.#ports.log.warn(error instanceof NodeError ? { code: error.code } : describeException(error), UNREAD)
      }
    }
  }
}

const UNREAD = 'messages that another front end took cannot be read'

function refusalOf(cause: unknown): NodeError | undefined {
  const text = textOf(cause)
  if (!text.startsWith('NOPERM')) return undefined
  const advice = 'the user of the cluster may not use the channel of the front ends: give it &<key_prefix>*'
  return new NodeError('bad-config', advice, { cause: new Error(text) })
}

/** Connects the events of a store to those of the other front ends. Rejects with NodeError `bad-config` where that is not allowed. */
export async function openRedisEvents(
  config: RedisStoreConfig,
  store: Pick<MessageStore, 'items'>,
  ports: RedisEventsPorts,
): Promise<RedisEvents> {
  const newClient = await clusterClients(config)
  const events = new RedisEvents(() => newClient('sharded'), new Keys(config.keyPrefix).events, store, ports)
  await events.start()
  return events
}
