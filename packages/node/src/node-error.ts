/** The one error class of the node (clause NODE-01). */

/**
 * What went wrong:
 * - `bad-config`: a setting is missing, unknown or out of range; the message names its key
 * - `bad-key-file`: the node's key file cannot be read, or is not 64 hexadecimal digits
 * - `bad-registry`: the file of all nodes cannot be read, or does not name this node
 * - `store-failed`: the database refused (broken, locked, unreadable, disk error)
 * - `store-corrupt`: the database file is damaged; the node can put it aside and be filled by its swarm
 * - `store-full`: the database reached its size limit or the disk is full
 * - `listen-failed`: the port is taken or the address is not ours
 * - `peer-timeout`, `peer-unreachable`, `bad-peer-response`: another member did not answer, or not as agreed
 * - `closed`: the node is shutting down
 */
export type NodeErrorCode =
  | 'bad-config'
  | 'bad-key-file'
  | 'bad-registry'
  | 'store-failed'
  | 'store-corrupt'
  | 'store-full'
  | 'listen-failed'
  | 'peer-timeout'
  | 'peer-unreachable'
  | 'bad-peer-response'
  | 'closed'

export class NodeError extends Error {
  readonly code: NodeErrorCode

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NodeError'
    this.code = code
  }
}
