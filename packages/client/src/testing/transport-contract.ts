/**
 * What every transport must do, as a list of named checks, so that any test runner can run them on any adapter.
 */
import { encodeUtf8 } from '@session-v2/encoding'
import { buildInfo, encodeRequest, type ServiceNode } from '@session-v2/network'
import type { Transport } from '../ports/transport.ts'

/** What the checks run against. The nodes are real or behave like it. */
export interface TransportSurroundings {
  readonly transport: Transport
  /** A storage node that answers. */
  readonly node: ServiceNode
  /** A request that this node answers with 421, since the account is in another swarm. */
  readonly misdirected: Uint8Array
  /** Takes connections and never answers. */
  readonly silentNode: ServiceNode
  /** Nobody is there. */
  readonly absentNode: ServiceNode
  /** The base URL of a seed that answers. */
  readonly seedUrl: string
}

export interface TransportCheck {
  readonly name: string
  /** Rejects when the transport does not do it. */
  run(surroundings: TransportSurroundings): Promise<void>
}

const never = () => new AbortController().signal

async function mustReject(promise: Promise<unknown>, message: string): Promise<void> {
  const rejected = await promise.then(
    () => false,
    () => true,
  )
  if (!rejected) throw new Error(message)
}

export const transportContract: readonly TransportCheck[] = [
  {
    name: 'brings a request to a node and its answer back',
    run: async ({ transport, node }) => {
      const { status, body } = await transport.send(node, encodeRequest(buildInfo()), never())
      if (status !== 200 || body.length === 0) throw new Error(`${status} with ${body.length} bytes`)
    },
  },
  {
    name: 'brings a refusal back like any answer',
    run: async ({ transport, node }) => {
      const { status } = await transport.send(node, encodeUtf8('{}'), never())
      if (status !== 400) throw new Error(`${status} for a request that is none`)
    },
  },
  {
    name: 'brings back that an account is elsewhere, and where',
    run: async ({ transport, node, misdirected }) => {
      const { status, body } = await transport.send(node, misdirected, never())
      if (status !== 421 || body.length === 0) throw new Error(`${status} with ${body.length} bytes`)
    },
  },
  {
    name: 'reaches a seed, with or without a slash behind its URL',
    run: async ({ transport, seedUrl }) => {
      const request = encodeUtf8('{"jsonrpc":"2.0","id":0,"method":"get_n_service_nodes","params":{}}')
      for (const url of [seedUrl, `${seedUrl}/`]) {
        const { status } = await transport.sendToSeed(url, request, never())
        if (status !== 200) throw new Error(`${status} from the seed`)
      }
    },
  },
  {
    name: 'rejects when nobody is there',
    run: ({ transport, absentNode }) =>
      mustReject(transport.send(absentNode, encodeRequest(buildInfo()), never()), 'an answer from nobody'),
  },
  {
    name: 'gives up when it is told to',
    run: async ({ transport, silentNode }) => {
      const controller = new AbortController()
      const waiting = transport.send(silentNode, encodeRequest(buildInfo()), controller.signal)
      controller.abort()
      await mustReject(waiting, 'an answer from a silent node')
    },
  },
  {
    name: 'does not begin what was given up before',
    run: ({ transport, node }) =>
      mustReject(transport.send(node, encodeRequest(buildInfo()), AbortSignal.abort()), 'it began all the same'),
  },
]
