/** The list of all nodes as a file: `{"service_node_states": […]}`, as a seed answers it (clause NODE-04). */
import { readFile } from 'node:fs/promises'
import { decodeServiceNodes, type ServiceNode } from '@session-v2/network'
import { NodeError } from '../node-error.ts'

/** Throws NodeError `bad-registry`. */
export async function readRegistryFile(file: string): Promise<ServiceNode[]> {
  try {
    const list: unknown = JSON.parse(await readFile(file, 'utf8'))
    return decodeServiceNodes((list as { service_node_states?: unknown } | null)?.service_node_states)
  } catch (cause) {
    throw new NodeError('bad-registry', `the registry file ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
