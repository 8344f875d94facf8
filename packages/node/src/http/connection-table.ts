/**
 * The open connections of a server, by the address that they come from (clauses NODE-105, NODE-109). When there are too many, of one address or in all,
 * the one goes that has been without a complete request for longest, and the new one is taken: whoever opens thousands and says
 * nothing loses those, and keeps nobody out.
 */
import type { Socket } from 'node:net'
import { addressKey, type TrustedProxies } from '../operations/client-address.ts'

export interface ConnectionLimits {
  /** Of both numbers 0 means: no limit. */
  readonly connections: number
  readonly connectionsPerAddress: number
}

/** One connection. Over TLS its requests come from another socket object, so that it is known by address and port. */
export interface Connection {
  readonly socket: Socket
  readonly key: string
  /** As `addressKey` writes it. */
  readonly address: string
  /** Requests that are complete and not answered yet. */
  running: number
  /** A refusal of it is held back. */
  isHeld: boolean
  /** Requests that came meanwhile. */
  ahead: number
}

export class ConnectionTable {
  readonly #limits: ConnectionLimits
  readonly #proxies: TrustedProxies
  readonly #byKey = new Map<string, Connection>()
  /** Of each address by use, the one that has been idle for longest first. */
  readonly #byAddress = new Map<string, Set<Connection>>()
  readonly #bySocket = new WeakMap<Socket, Connection>()
  /** Addresses of which nothing is read for now. */
  readonly #shunned = new Set<string>()
  #dropped = 0

  constructor(limits: ConnectionLimits, proxies: TrustedProxies) {
    this.#limits = limits
    this.#proxies = proxies
  }

  get open(): number {
    return this.#byKey.size
  }

  /** How many were closed to make room. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes a new connection, at the cost of another one if there is no room. False when nothing is to be read of it. */
  add(socket: Socket): boolean {
    const address = addressKey(socket.remoteAddress)
    const connection = { socket, key: keyOf(socket), address, running: 0, isHeld: false, ahead: 0 }
    this.#byKey.set(connection.key, connection)
    const siblings = this.#byAddress.get(address) ?? new Set()
    this.#byAddress.set(address, siblings.add(connection))
    socket.once('close', () => this.#remove(connection))
    const { connections, connectionsPerAddress } = this.#limits
    if (connectionsPerAddress > 0 && siblings.size > connectionsPerAddress && !this.#isProxy(socket))
      this.#drop(siblings, connection)
    else if (connections > 0 && this.#byKey.size > connections) this.#drop(this.#largest(), connection)
    return !this.#shunned.has(address)
  }

  /** The connection that a request came over; undefined when it has gone. */
  of(socket: Socket): Connection | undefined {
    const known = this.#bySocket.get(socket)
    if (known !== undefined) return known
    const connection = this.#byKey.get(keyOf(socket))
    if (connection !== undefined) this.#bySocket.set(socket, connection)
    return connection
  }

  /** A request of it was answered: it is the last to be dropped from now on. */
  used(connection: Connection): void {
    const siblings = this.#byAddress.get(connection.address)
    if (siblings?.delete(connection)) siblings.add(connection)
  }

  /**
   * Closes a connection, and unless it is a proxy's all others of its address, of which nothing is read until `unshun`. Those that it opens
   * meanwhile are kept waiting: closed, they would only be opened again. Whether it was not shunned yet.
   */
  shun({ socket, address }: Connection): boolean {
    if (this.#isProxy(socket)) {
      socket.destroy()
      return false
    }
    this.#destroyAllOf(address)
    const isNew = !this.#shunned.has(address)
    this.#shunned.add(address)
    return isNew
  }

  /** Closes what an address has opened meanwhile, and reads of what it opens from now on. */
  unshun(address: string): void {
    this.#shunned.delete(address)
    this.#destroyAllOf(address)
  }

  isShunned({ address }: Connection): boolean {
    return this.#shunned.size > 0 && this.#shunned.has(address)
  }

  #destroyAllOf(address: string): void {
    for (const { socket } of [...(this.#byAddress.get(address) ?? [])]) socket.destroy()
  }

  destroyAll(): void {
    for (const { socket } of [...this.#byKey.values()]) socket.destroy()
  }

  #isProxy({ remoteAddress }: Socket): boolean {
    return remoteAddress !== undefined && this.#proxies.has(remoteAddress)
  }

  #drop(siblings: ReadonlySet<Connection>, newcomer: Connection): void {
    let victim = newcomer
    for (const connection of siblings) {
      if (connection.running > 0) continue
      victim = connection
      break
    }
    this.#dropped++
    this.#remove(victim)
    victim.socket.destroy()
  }

  /** Those of the address with the most connections. */
  #largest(): ReadonlySet<Connection> {
    let largest: ReadonlySet<Connection> = new Set()
    for (const siblings of this.#byAddress.values()) if (siblings.size > largest.size) largest = siblings
    return largest
  }

  #remove(connection: Connection): void {
    if (this.#byKey.get(connection.key) === connection) this.#byKey.delete(connection.key)
    const siblings = this.#byAddress.get(connection.address)
    siblings?.delete(connection)
    if (siblings?.size === 0) this.#byAddress.delete(connection.address)
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
