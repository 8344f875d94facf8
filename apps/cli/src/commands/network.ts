/**
 * `network up`: a whole local network in the foreground, until Ctrl-C.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startLocalNetwork } from '@session-v2/node'
import type { Run } from '../command-spec.ts'
import { interrupted } from '../context.ts'
import { CliError } from '../failure.ts'

interface NetworkOptions {
  readonly nodes: number
  readonly swarms: number
  readonly port: number
  readonly data?: string
}

export const networkUp: Run = async (context, _operands, values) => {
  const options = values as unknown as NetworkOptions
  if (options.swarms > options.nodes) throw new CliError('usage', 'Each swarm needs a node: --swarms must not be above --nodes.')
  const folder = options.data === undefined ? mkdtempSync(join(tmpdir(), 'session-v2-network-')) : resolve(options.data)
  const { nodes, swarms, port } = options
  try {
    const network = await startLocalNetwork({ nodes, swarms, port, dataDirectory: folder })
    try {
      const rows = network.nodes.map(({ url, ed25519, x25519, swarm }) => ({ url, ed25519, x25519, swarm }))
      context.output.result({ ready: true, seed: network.seedUrl, nodes: rows }, announcement(network.seedUrl, rows, folder))
      await interrupted(context.signal)
      context.output.note('Stopping the network …')
    } finally {
      await network.close()
    }
  } finally {
    if (options.data === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

function announcement(seed: string, nodes: readonly { url: string; ed25519: string; swarm: string }[], folder: string): string {
  const rows = nodes.map(node => `  ${node.url.padEnd(24)}swarm ${node.swarm}  ${node.ed25519.slice(0, 16)}…`)
  return `The network is up.

seed  ${seed}
data  ${folder}

${rows.join('\n')}

Make an account on it from another terminal:
  session-v2 --seed ${seed} account create --name Alice

Ctrl-C stops the network.`
}
