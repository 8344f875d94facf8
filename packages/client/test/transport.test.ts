import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { directTransport } from '@session-v2/client'
import { transportContract } from '@session-v2/client/testing'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { buildRetrieve, encodeRequest, NAMESPACE, type ServiceNode } from '@session-v2/network'
import { accountFromSeed } from '@session-v2/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANSWER_MAX_BYTES } from '../src/transport/direct.ts'
import { NetworkUnderTest } from './network-under-test.ts'

let network: NetworkUnderTest
let node: ServiceNode
const servers: Server[] = []

async function portOf(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 2, swarms: 2 })
  node = (await network.nodes())[0]!
})
afterAll(async () => {
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  await network.close()
})

/** A request about an account that is not the node's. */
async function misdirectedRequest(): Promise<Uint8Array> {
  const crypto = await loadCrypto()
  for (;;) {
    const { id } = accountFromSeed(crypto, systemRandom().bytes(32))
    const members = await network.swarm(id)
    const parameters = { accountId: id, namespace: NAMESPACE.accountKeys, timestampMs: Date.now() }
    if (members.every(member => member.ed25519 !== node.ed25519)) return encodeRequest(buildRetrieve(crypto, parameters))
  }
}

describe('the direct transport', () => {
  for (const check of transportContract) {
    it(check.name, async () => {
      const silentNode = { ...node, port: await portOf(createServer(() => {})) }
      const absent = createServer()
      const absentNode = { ...node, port: await portOf(absent) }
      await new Promise(resolve => servers.pop()!.close(resolve))
      const misdirected = await misdirectedRequest()
      await check.run({ transport: directTransport(), node, misdirected, silentNode, absentNode, seedUrl: network.seeds[0]! })
    })
  }

  it('does not read an answer without end', async () => {
    const endless = createServer((_request, response) => {
      const chunk = Buffer.alloc(1_000_000)
      const write = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', write)
      write()
    })
    const hostile = { ...node, port: await portOf(endless) }
    const waiting = directTransport().send(hostile, new Uint8Array(), new AbortController().signal)
    await expect(waiting).rejects.toThrow(String(ANSWER_MAX_BYTES))
  })

  it('does not follow a node elsewhere', async () => {
    let followed = false
    const location = `http://127.0.0.1:${await portOf(
      createServer((_request, response) => {
        followed = true
        response.end()
      }),
    )}/`
    const hostile = {
      ...node,
      port: await portOf(createServer((_request, response) => response.writeHead(307, { location }).end())),
    }
    const { status } = await directTransport().send(hostile, new Uint8Array(), new AbortController().signal)
    expect(status).not.toBe(200)
    expect(followed).toBe(false)
  })
})
