/**
 * Who is in the network: the port through which the node learns of it, and what its adapters have in common (clause NODE-120).
 *
 * | adapter | the list is |
 * |---|---|
 * | `registry-file.ts` | a file, written by whoever runs the network |
 * | `seed-registry.ts` | what seeds answer |
 * | `daemon-registry.ts` | what the daemon of a chain answers |
 * | `MemoryRegistry` | what the program that started the node says |
 */
import type { Crypto } from '@session-v2/crypto'
import type { ServiceNode } from '@session-v2/network'
import { describeException, type Log } from '../log.ts'
import { listHash } from './list-hash.ts'

/** All nodes of the network at one moment. Nodes that are in no swarm are among them; those without an address are not. */
export interface NodeList {
  readonly nodes: readonly ServiceNode[]
  /** Height of the block that the list belongs to; 0 where there is no chain. */
  readonly height: number
  /** Hash of that block, 64 hexadecimal digits; where there is no chain, that of the list (`listHash`). */
  readonly blockHash: string
}

export interface Registry {
  /** The list in force. */
  nodes(): NodeList
  /** Calls `listener` with each list that has other nodes than the one before; the returned function ends that. */
  changes(listener: (list: NodeList) => void): () => void
  /** Asks no more, and resolves when nothing is under way. The last list stays readable. */
  close(): Promise<void>
}

/** What an adapter learns: a list, with the block if there is a chain. */
export interface LearnedList {
  readonly nodes: readonly ServiceNode[]
  readonly height?: number
  readonly blockHash?: string
}

export interface RegistryParts {
  readonly crypto: Crypto
  readonly log: Log
}

/** A list that is told: what a program that starts several nodes uses, and what the adapters hold their list in. */
export class MemoryRegistry implements Registry {
  readonly #parts: RegistryParts
  readonly #listeners = new Set<(list: NodeList) => void>()
  #list: NodeList
  #hash: string

  constructor(parts: RegistryParts, first: LearnedList) {
    this.#parts = parts
    this.#hash = listHash(parts.crypto, first.nodes)
    this.#list = complete(first, this.#hash)
  }

  nodes(): NodeList {
    return this.#list
  }

  /** `listHash` of the list in force. */
  get hash(): string {
    return this.#hash
  }

  /** Puts a list in force, and tells of it if its nodes are others. A listener that throws is logged and hinders nobody. */
  replace(learned: LearnedList): void {
    const hash = listHash(this.#parts.crypto, learned.nodes)
    const changed = hash !== this.#hash
    this.#list = complete(learned, hash)
    this.#hash = hash
    if (!changed) return
    for (const listener of [...this.#listeners]) {
      try {
        listener(this.#list)
      } catch (error) {
        this.#parts.log.error(describeException(error), 'a change of the node list could not be followed')
      }
    }
  }

  changes(listener: (list: NodeList) => void): () => void {
    const own = (list: NodeList): void => listener(list)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }
}

function complete({ nodes, height = 0, blockHash }: LearnedList, hash: string): NodeList {
  return { nodes, height, blockHash: blockHash ?? hash }
}
