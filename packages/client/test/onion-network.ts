/**
 * Real nodes, each behind a proxy that clients take for the node itself: it sees what clients send to whom, and does to it what a test
 * says. Nodes talk to one another without it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ONION_REQUEST_PATH, parseSwarmId, type ServiceNode } from '@session-v2/network'
import { type LocalNetwork, type RunningSeed, startLocalNetwork, startSeed } from '@session-v2/node'

export interface AtProxy {
  /** As clients know it. */
  readonly node: ServiceNode
  readonly path: string
  readonly body: Buffer
  readonly response: ServerResponse
  /** Lets the real node answer. */
  readonly pass: () => Promise<void>
  /** What the real node says, for the test to do with as it likes. */
  readonly ask: () => Promise<{ status: number; body: Buffer }>
}

export type Intercept = (request: AtProxy) => void | Promise<void>

const pass: Intercept = request => request.pass()

export class OnionNetwork {
  readonly nodes: ServiceNode[] = []
  /** What clients sent so far, in order. */
  readonly seen: { readonly node: ServiceNode; readonly path: string }[] = []
  intercept: Intercept = pass
  /** What the seed lists; the nodes themselves list all of them by their real addresses. */
  listed: readonly ServiceNode[] = []
  seedRequests = 0
  readonly #folder: string
  readonly #local: LocalNetwork
  readonly #proxies: Server[] = []
  #seed: RunningSeed | undefined

  private constructor(folder: string, local: LocalNetwork) {
    this.#folder = folder
    this.#local = local
  }

  static async start(nodes: number, swarms = 1, clock?: { nowMs(): number }): Promise<OnionNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'session-v2-onion-'))
    const port = 0
    const options = { nodes, swarms, port, dataDirectory: folder, log: { level: 'silent' }, ...(clock && { clock }) } as const
    const network = new OnionNetwork(folder, await startLocalNetwork(options))
    for (const { url, ed25519, x25519, swarm } of network.#local.nodes) {
      const address = { host: '127.0.0.1', port: 0, protocol: 'http' } as const
      const node = { ed25519, x25519, ...address, swarmId: parseSwarmId(swarm) }
      const proxy = createServer((request, response) => void network.#serve(node, url, request, response))
      await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
      node.port = (proxy.address() as AddressInfo).port as 0
      network.#proxies.push(proxy)
      network.nodes.push(node)
    }
    network.listed = network.nodes
    const nodesOfSeed = () => {
      network.seedRequests++
      return network.listed
    }
    network.#seed = await startSeed({ host: '127.0.0.1', port: 0, nodes: nodesOfSeed, log: { level: 'silent' } })
    return network
  }

  get seeds(): string[] {
    return [this.#seed!.url]
  }

  /** Guards that clients used so far: whom they sent an onion request to. */
  get guards(): string[] {
    return [...new Set(this.seen.filter(({ path }) => path === ONION_REQUEST_PATH).map(({ node }) => node.ed25519))]
  }

  /** The node ends, and so does its proxy. */
  async kill(ed25519: string): Promise<void> {
    const at = this.nodes.findIndex(node => node.ed25519 === ed25519)
    await Promise.all([ended(this.#proxies[at]!), this.#local.nodes[at]!.close()])
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map(ended))
    await this.#seed?.close()
    await this.#local.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #serve(node: ServiceNode, url: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts)
    const path = request.url ?? ''
    this.seen.push({ node, path })
    const ask = async () => {
      const answer = await fetch(`${url}${path}`, { method: 'POST', body, redirect: 'manual' })
      return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) }
    }
    const passOn = async () => {
      const answer = await ask()
      response.writeHead(answer.status).end(answer.body)
    }
    try {
      await this.intercept({ node, path, body, response, pass: passOn, ask })
    } catch {
      response.destroy()
    }
  }
}

async function ended(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
}
