/**
 * `node main.js CONFIG`: runs one node until SIGINT or SIGTERM (clause NODE-115). It ends with status 0 once everything is stored, with
 * 1 when it cannot start, cannot close or has a damaged database (NODE-28), and at once, with 128 plus the signal's number, on a second
 * signal.
 */
import { constants } from 'node:os'
import { readNodeConfig } from './config/node-config.ts'
import { NodeError } from './node-error.ts'
import { keepHeapSmall } from './operations/heap.ts'
import { startNode } from './start-node.ts'

async function main(file: string | undefined): Promise<void> {
  if (file === undefined) throw new NodeError('bad-config', 'give the configuration file as the only argument')
  keepHeapSmall()
  const node = await startNode(await readNodeConfig(file))
  let closing = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (closing) process.exit(128 + constants.signals[signal])
      closing = true
      node.close().catch(fail)
    })
  }
  node.damaged
    .then(error => {
      fail(error)
      closing = true
      return node.close()
    })
    .catch(fail)
  console.log(JSON.stringify({ ready: true, url: node.url, ed25519: node.ed25519, swarm: node.swarm }))
}

function fail(error: unknown): void {
  console.error(error instanceof NodeError ? error.message : error)
  process.exitCode = 1
}

main(process.argv[2]).catch(fail)
