/**
 * `node run --config FILE`: one storage node in the foreground, until Ctrl-C.
 */
import { readNodeConfig, startNode } from '@session-v2/node'
import type { Run } from '../command-spec.ts'
import { interrupted } from '../context.ts'

export const nodeRun: Run = async (context, _operands, options) => {
  const node = await startNode(await readNodeConfig(options.config as string))
  try {
    context.output.result({ ready: true, url: node.url }, `The storage node serves at ${node.url}. Ctrl-C stops it.`)
    await interrupted(context.signal)
    context.output.note('Stopping the node …')
  } finally {
    await node.close()
  }
}
