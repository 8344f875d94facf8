/** The registry of a configuration, and what a node tells a daemon in return (clauses NODE-120, NODE-127, NODE-128). */
import { join } from 'node:path'
import type { ServiceNode } from '@session-v2/network'
import type { RegistryConfig } from '../config/registry-config.ts'
import { type Announcement, daemonPeerReports, openDaemonRegistry, startDaemonPing } from './daemon-registry.ts'
import type { QuestionParts } from './json-rpc.ts'
import type { Registry, RegistryParts } from './registry.ts'
import { openFileRegistry } from './registry-file.ts'
import { openSeedRegistry } from './seed-registry.ts'

/** The name of the file in the data directory where the last list of seeds is kept. */
const KEPT_LIST = 'nodes.json'

export type RegistryOptions = RegistryParts & QuestionParts

/** Rejects with NodeError `bad-config` and `bad-registry`. */
export function openRegistry(config: RegistryConfig, dataDirectory: string, options: RegistryOptions): Promise<Registry> {
  switch (config.kind) {
    case 'file':
      return openFileRegistry({ ...options, file: config.file })
    case 'seed':
      return openSeedRegistry({ ...options, seeds: config.seeds, file: join(dataDirectory, KEPT_LIST) })
    case 'daemon':
      return openDaemonRegistry({ ...options, url: config.url })
  }
}

/** What goes back to where the list comes from: nothing, but for a daemon. */
export interface RegistryFeedback {
  reached(node: ServiceNode, passed: boolean): void
  close(): void
}

/** Starts telling. `announcement` is asked every time. */
export function startFeedback(
  config: RegistryConfig,
  options: RegistryOptions,
  announcement: () => Announcement,
): RegistryFeedback {
  if (config.kind !== 'daemon') return { reached() {}, close() {} }
  const parts = { ...options, url: config.url }
  const reports = config.reports ? daemonPeerReports(parts) : undefined
  const stopPing = config.ping ? startDaemonPing(parts, announcement) : undefined
  return {
    reached: (node, passed) => reports?.report(node, passed),
    close() {
      reports?.close()
      stopPing?.()
    },
  }
}
