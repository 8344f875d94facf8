/**
 * One storage node alone in its swarm, with every check on, in a process of its own: prints `{"ready":true,"port":…}` like the naive
 * server, with the seed of its network, and ends on SIGTERM.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalNetwork } from '@session-v2/node'

const dataDirectory = mkdtempSync(join(tmpdir(), 'one-node-'))
const network = await startLocalNetwork({ nodes: 1, swarms: 1, dataDirectory })
const port = Number(new URL(network.nodes[0]!.url).port)
console.log(JSON.stringify({ ready: true, port, seed: network.seedUrl }))

process.on('SIGTERM', async () => {
  await network.close()
  rmSync(dataDirectory, { recursive: true, force: true })
  process.exit(0)
})
