/**
 * Where a node learns of the others, as `[registry]` says it (clause NODE-120).
 *
 *     kind = "file"                       the default
 *     file = "registry.json"
 *
 *     kind = "seed"
 *     seeds = [{ url = "https://seed.example.org", pin = "…" }]   pin: SHA-256 of the certificate's public key; optional
 *
 *     kind = "daemon"
 *     url = "http://127.0.0.1:22023"
 *     ping = true                         tells the daemon that the node runs
 *     reports = true                      tells it which nodes cannot be reached
 */
import type { ConfigTable } from './config-table.ts'

export type RegistryConfig =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'seed'; readonly seeds: readonly SeedConfig[] }
  | { readonly kind: 'daemon'; readonly url: string; readonly ping: boolean; readonly reports: boolean }

export interface SeedConfig {
  readonly url: string
  /** Hexadecimal or base64. */
  readonly pin?: string
}

/** Reads the table, or the short form `registry_file` where there is none. `path` makes a path absolute. */
export function readRegistry(root: ConfigTable, path: (relative: string) => string): RegistryConfig {
  const table = root.table('registry')
  if (table === undefined) return { kind: 'file', file: path(root.requireString('registry_file')) }
  const registry = readKind(table, path)
  table.finish()
  return registry
}

function readKind(table: ConfigTable, path: (relative: string) => string): RegistryConfig {
  const kind = table.oneOf('kind', ['file', 'seed', 'daemon'], 'file')
  if (kind === 'file') return { kind, file: path(table.requireString('file')) }
  if (kind === 'daemon') {
    return { kind, url: table.requireString('url'), ping: table.boolean('ping', true), reports: table.boolean('reports', true) }
  }
  const seeds = table.tables('seeds').map(seed => {
    const pin = seed.optionalString('pin')
    const source = { url: seed.requireString('url'), ...(pin !== undefined && { pin }) }
    seed.finish()
    return source
  })
  if (seeds.length === 0) throw table.error('seeds', 'names no seed to ask')
  return { kind, seeds }
}

/** The table as values that TOML can write. */
export function printRegistry(registry: RegistryConfig): Readonly<Record<string, unknown>> {
  if (registry.kind !== 'seed') return { ...registry }
  return { kind: registry.kind, seeds: registry.seeds.map(seed => ({ ...seed })) }
}
