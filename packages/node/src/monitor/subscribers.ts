/**
 * The connections of subscribers, and what of them may be in memory (clauses NODE-150, NODE-152, NODE-156, NODE-158). What waits for a reader is
 * bounded by connection and in all, and so is what has come of messages that are not complete.
 *
 * | close code | |
 * |---|---|
 * | 1000 | a minute without a subscription |
 * | 1001 | the node is shutting down |
 * | 1009, 1002, 1007 | a message over 512 KiB, or none of the protocol's |
 * | 1011 | a message could not be answered |
 * | 1013 | too many requests |
 * | none | a reader that is too slow, or does not answer a ping |
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import type { Timers } from '../ports.ts'

export const CONNECTIONS_MAX = 10_000
/** A list of the most subscriptions of subaccounts, in JSON. */
export const FRAME_MAX_BYTES = 524_288
/** What may wait for one reader; one that lets more wait is dropped. */
export const WAITING_MAX_BYTES = 1_048_576
/** The same of all together; above, the one for which most waits is dropped. */
export const WAITING_TOTAL_MAX_BYTES = 67_108_864
/** What may have come of messages that are not complete; above, the one with the longest is dropped. */
export const PARTS_TOTAL_MAX_BYTES = 67_108_864
/** Between pings. Who has not answered the last one is dropped. */
export const HEARTBEAT_MS = 30_000
/** After so many pings a connection without a subscription is closed. */
const BEATS_WITHOUT_SUBSCRIPTION = 2
/** How long a close may take when the node shuts down. */
const CLOSE_GRACE_MS = 1_000
/** Head and mask of a ping or pong of a client. */
const CONTROL_HEAD_BYTES = 6

/** One connection. */
export class Subscriber {
  readonly socket: WebSocket
  /** As the limits of the node know it. */
  readonly address: string
  isAlive = true
  idleBeats = 0
  /** As it was when something was sent last. */
  waitingBytes = 0
  /** Of a message that is not complete. */
  partBytes = 0

  constructor(socket: WebSocket, address: string) {
    this.socket = socket
    this.address = address
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }
}

export interface SubscribersParts {
  readonly timers: Timers
  /** Answers a message; those of a connection come one after the other. Must not reject. */
  readonly receive: (subscriber: Subscriber, message: Uint8Array, isBinary: boolean) => Promise<void>
  readonly gone: (subscriber: Subscriber) => void
  /** Called before each round of pings. */
  readonly beat: () => void
  readonly isSubscribed: (subscriber: Subscriber) => boolean
}

export class Subscribers {
  readonly #parts: SubscribersParts
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: FRAME_MAX_BYTES,
  })
  readonly #open = new Set<Subscriber>()
  #waitingBytes = 0
  #partBytes = 0
  #dropped = 0
  #stopBeating: () => void
  #closed: Promise<void> | undefined

  constructor(parts: SubscribersParts) {
    this.#parts = parts
    this.#stopBeating = parts.timers.after(HEARTBEAT_MS, this.#beat)
  }

  get size(): number {
    return this.#open.size
  }

  /** How many were dropped as too slow, or silent. */
  get dropped(): number {
    return this.#dropped
  }

  get isFull(): boolean {
    return this.#open.size >= CONNECTIONS_MAX
  }

  /** Takes over the connection of an upgrade; undefined for a request that is none, which the library has answered. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, address: string): Subscriber | undefined {
    let subscriber: Subscriber | undefined
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      subscriber = new Subscriber(webSocket, address)
      this.#add(subscriber, socket)
    })
    return subscriber
  }

  /** Sends if the connection is still there; text is JSON, bytes are bt. */
  send(subscriber: Subscriber, message: string | Uint8Array): void {
    if (!subscriber.isOpen) return
    subscriber.socket.send(message, { binary: typeof message !== 'string' }, ignored)
    this.#count(subscriber)
    if (subscriber.waitingBytes > WAITING_MAX_BYTES) this.#drop(subscriber)
    else if (this.#waitingBytes > WAITING_TOTAL_MAX_BYTES) this.#makeRoom()
  }

  /** Closes all connections; resolves once they are. */
  close(): Promise<void> {
    this.#closed ??= this.#closeAll()
    return this.#closed
  }

  async #closeAll(): Promise<void> {
    this.#stopBeating()
    const ends = [...this.#open].map(({ socket }) => new Promise(resolve => socket.once('close', resolve)))
    for (const { socket } of this.#open) socket.close(1001, 'shutting down')
    const cancel = this.#parts.timers.after(CLOSE_GRACE_MS, () => {
      for (const { socket } of [...this.#open]) socket.terminate()
    })
    await Promise.all(ends)
    cancel()
  }

  #add(subscriber: Subscriber, stream: Duplex): void {
    const { socket } = subscriber
    if (this.#closed !== undefined) {
      socket.terminate()
      return
    }
    this.#open.add(subscriber)
    // Counted before the library takes it apart: a message that is complete then takes it off again.
    stream.prependListener('data', (chunk: Buffer) => this.#countPart(subscriber, chunk.length))
    let waiting = 0
    let work = Promise.resolve()
    socket.on('message', (message, isBinary) => {
      subscriber.isAlive = true
      this.#countPart(subscriber, -subscriber.partBytes)
      // No more is read while an answer is due: what a client sends waits at the client.
      if (waiting++ === 0) socket.pause()
      const answer = async (): Promise<void> => {
        if (subscriber.isOpen) await this.#parts.receive(subscriber, message as Buffer, isBinary)
        if (--waiting === 0) socket.resume()
      }
      work = work.then(answer)
    })
    const heard = ({ length }: Buffer): void => {
      subscriber.isAlive = true
      this.#countPart(subscriber, -Math.min(subscriber.partBytes, length + CONTROL_HEAD_BYTES))
    }
    socket.on('ping', heard)
    socket.on('pong', heard)
    socket.on('error', ignored)
    socket.on('close', () => this.#remove(subscriber))
  }

  readonly #beat = (): void => {
    this.#parts.beat()
    for (const subscriber of [...this.#open]) {
      if (!subscriber.isAlive) {
        this.#drop(subscriber)
        continue
      }
      subscriber.idleBeats = this.#parts.isSubscribed(subscriber) ? 0 : subscriber.idleBeats + 1
      if (subscriber.idleBeats > BEATS_WITHOUT_SUBSCRIPTION) {
        subscriber.socket.close(1000, 'no subscription')
        // One that does not answer the close is dropped at the next beat.
        subscriber.isAlive = false
        continue
      }
      subscriber.isAlive = false
      if (subscriber.isOpen) subscriber.socket.ping()
    }
    this.#stopBeating = this.#parts.timers.after(HEARTBEAT_MS, this.#beat)
  }

  #count(subscriber: Subscriber): void {
    const bytes = subscriber.socket.bufferedAmount
    this.#waitingBytes += bytes - subscriber.waitingBytes
    subscriber.waitingBytes = bytes
  }

  #makeRoom(): void {
    // Some have been read since they were counted.
    for (const subscriber of this.#open) this.#count(subscriber)
    while (this.#waitingBytes > WAITING_TOTAL_MAX_BYTES) {
      const largest = largestOf(this.#open, ({ waitingBytes }) => waitingBytes)
      if (largest === undefined) return
      this.#drop(largest)
    }
  }

  #countPart(subscriber: Subscriber, bytes: number): void {
    if (!this.#open.has(subscriber)) return
    subscriber.partBytes += bytes
    this.#partBytes += bytes
    if (this.#partBytes <= PARTS_TOTAL_MAX_BYTES) return
    const largest = largestOf(this.#open, ({ partBytes }) => partBytes)
    if (largest !== undefined) this.#drop(largest)
  }

  #drop(subscriber: Subscriber): void {
    this.#dropped++
    this.#remove(subscriber)
    subscriber.socket.terminate()
  }

  #remove(subscriber: Subscriber): void {
    if (!this.#open.delete(subscriber)) return
    this.#waitingBytes -= subscriber.waitingBytes
    this.#partBytes -= subscriber.partBytes
    this.#parts.gone(subscriber)
  }
}

function largestOf(subscribers: Iterable<Subscriber>, sizeOf: (subscriber: Subscriber) => number): Subscriber | undefined {
  let largest: Subscriber | undefined
  for (const subscriber of subscribers) {
    if (largest === undefined || sizeOf(subscriber) > sizeOf(largest)) largest = subscriber
  }
  return largest
}

function ignored(): void {}
