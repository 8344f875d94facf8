/** `node main.js CONFIG`: runs one node until SIGINT or SIGTERM. */
import { readNodeConfig } from './config/node-config.ts'
import { startNode } from './node.ts'
import { NodeError } from './node-error.ts'

async function main(file: string | undefined): Promise<void> {
  if (file === undefined) throw new NodeError('bad-config', 'give the configuration file as the only argument')
  const node = await startNode(await readNodeConfig(file))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void node.close())
  console.log(JSON.stringify({ ready: true, url: node.url, ed25519: node.ed25519, swarm: node.swarm }))
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof NodeError ? error.message : error)
  process.exitCode = 1
})
