/**
 * A network of four nodes in a process of its own, three of which relay to the fourth: prints `{"ready":true,"seed":…}` and ends on
 * SIGTERM.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalNetwork } from '@session-v2/node'

const dataDirectory = mkdtempSync(join(tmpdir(), 'relay-network-'))
const network = await startLocalNetwork({ nodes: 4, swarms: 1, dataDirectory })
console.log(JSON.stringify({ ready: true, seed: network.seedUrl }))

process.on('SIGTERM', async () => {
  await network.close()
  rmSync(dataDirectory, { recursive: true, force: true })
  process.exit(0)
})
