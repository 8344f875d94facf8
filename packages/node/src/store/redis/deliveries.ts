/**
 * Writes that members have not taken yet, until they have (clauses NODE-89, NODE-145): of one hash slot, so that a script sees all that are due, and two
 * front ends do not take the same one.
 */
import type { Delivery } from '../store.ts'
import type { ClusterConnection, Reply } from './cluster-connection.ts'
import type { Keys } from './names.ts'
import { bytesOf, textOfReply } from './replies.ts'
import { LEND, QUEUE, SETTLE } from './shared-scripts.ts'

const PARTS = 5

export class Deliveries {
  readonly #cluster: ClusterConnection
  readonly #key: string

  constructor(cluster: ClusterConnection, keys: Keys) {
    this.#cluster = cluster
    this.#key = keys.deliveries
  }

  async queue(peer: string, body: Uint8Array, nowMs: number, limit: number): Promise<void> {
    await this.#cluster.write(QUEUE, this.#key, [peer, nowMs, limit, body])
  }

  async lend(nowMs: number, limit: number): Promise<Delivery[]> {
    const parts = (await this.#cluster.write(LEND, this.#key, [nowMs, limit])) as Reply[]
    const lent: Delivery[] = []
    for (let at = 0; at < parts.length; at += PARTS) {
      const [id, peer, queued, tries, body] = parts.slice(at, at + PARTS)
      lent.push({
        id: Number(textOfReply(id)),
        peer: textOfReply(peer),
        body: bytesOf(body),
        queuedAtMs: Number(textOfReply(queued)),
        tries: Number(textOfReply(tries)),
      })
    }
    return lent
  }

  async settle(id: number, dueAtMs: number | undefined): Promise<void> {
    await this.#cluster.write(SETTLE, this.#key, [id, dueAtMs ?? ''])
  }

  async waiting(): Promise<number> {
    return Number(await this.#cluster.command('zcard', [this.#key]))
  }
}
