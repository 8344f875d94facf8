/**
 * The wires between devices, nodes and the seed: each request and each answer takes its time, so they overtake one another, and what the
 * weather says becomes of them. Nobody is asked over any other wire.
 */
import type { Http, TransportAnswer } from '@session-v2/client'
import type { Chance } from './chance.ts'
import type { Tally } from './tally.ts'
import type { World } from './world.ts'

/** What the network does to a request. Probabilities from 0 to 1. */
export interface Weather {
  readonly requestLost: number
  readonly answerLost: number
  readonly doubled: number
  /** The longest that one way takes, in milliseconds. */
  readonly delayMs: number
}

export const CALM: Weather = { requestLost: 0, answerLost: 0, doubled: 0, delayMs: 60 }

/** Answers a request that has arrived. */
export type Serve = (path: string, body: Uint8Array) => Promise<TransportAnswer>

/** What one end of a wire is called: `node 3`, `seed`, `alice/1`. */
export type Place = string

export const SEED_PLACE: Place = 'seed'

const SHORTEST_MS = 5
/** After this a request that is lost has failed: longer than any caller waits. */
const LOST_MS = 60_000

export class Network {
  weather: Weather = CALM
  readonly #world: World
  readonly #chance: Chance
  readonly #tally: Tally
  readonly #servers = new Map<string, { readonly place: Place; readonly serve: Serve }>()
  /** Ends between which nothing passes. */
  readonly #cut = new Set<string>()
  readonly #unreachable = new Set<Place>()

  constructor(world: World, chance: Chance, tally: Tally) {
    this.#world = world
    this.#chance = chance
    this.#tally = tally
  }

  /** @param origin `http://10.0.0.1:22021` */
  listen(origin: string, place: Place, serve: Serve): void {
    this.#servers.set(origin, { place, serve })
  }

  /** Nobody reaches this end, and it reaches nobody, until `heal`. */
  isolate(place: Place): void {
    this.#unreachable.add(place)
  }

  rejoin(place: Place): void {
    this.#unreachable.delete(place)
  }

  cut(a: Place, b: Place): void {
    this.#cut.add(lineBetween(a, b))
  }

  /** All wires are whole again and lose nothing. */
  heal(): void {
    this.#cut.clear()
    this.#unreachable.clear()
    this.weather = CALM
  }

  /** The HTTP port of a device. `isAlive` ends it: a dead program neither sends nor hears. */
  httpOf(place: Place, isAlive: () => boolean): Http {
    const post = (url: string, body: Uint8Array, signal: AbortSignal) => {
      if (!isAlive()) return Promise.reject(new Error('the program is dead'))
      return this.request(place, url, body, signal)
    }
    return { toNode: post, toSeed: post }
  }

  /** Carries a request there and its answer back, or rejects. */
  request(from: Place, url: string, body: Uint8Array, signal?: AbortSignal): Promise<TransportAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(why))
      signal?.addEventListener('abort', () => fail('aborted'), { once: true })
      if (signal?.aborted === true) return fail('aborted')
      void this.#carry(from, url, body).then(resolve, reject)
    })
  }

  async #carry(from: Place, url: string, body: Uint8Array): Promise<TransportAnswer> {
    const { origin, pathname } = new URL(url)
    const server = this.#servers.get(origin)
    if (server === undefined) throw new Error(`nobody listens at ${origin}`)
    const { requestLost, answerLost, doubled } = this.weather
    if (this.#isCut(from, server.place)) return this.#lost('line cut')
    if (this.#chance.happens(requestLost)) return this.#lost('request lost')
    await this.#way()
    if (this.#chance.happens(doubled)) {
      this.#tally.add('request doubled')
      void this.#again(server.serve, pathname, body)
    }
    const answer = await server.serve(pathname, body)
    if (this.#isCut(from, server.place)) return this.#lost('line cut')
    if (this.#chance.happens(answerLost)) return this.#lost('answer lost')
    await this.#way()
    return answer
  }

  /** A copy of a request comes some time later, and nobody waits for its answer. */
  async #again(serve: Serve, path: string, body: Uint8Array): Promise<void> {
    await this.#way()
    await serve(path, body).catch(() => undefined)
  }

  #way(): Promise<void> {
    const { delayMs } = this.weather
    if (delayMs > CALM.delayMs) this.#tally.add('delayed')
    return this.#world.pause(this.#chance.whole(SHORTEST_MS, delayMs))
  }

  async #lost(how: string): Promise<never> {
    this.#tally.add(how)
    await this.#world.pause(LOST_MS)
    throw new Error(how)
  }

  #isCut(a: Place, b: Place): boolean {
    return this.#unreachable.has(a) || this.#unreachable.has(b) || this.#cut.has(lineBetween(a, b))
  }
}

function lineBetween(a: Place, b: Place): string {
  return a < b ? `${a} | ${b}` : `${b} | ${a}`
}
