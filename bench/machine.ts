/** What a figure needs beside it to mean anything: machine, runtime and the versions of what was measured. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, totalmem } from 'node:os'

const require = createRequire(import.meta.url)

const MEASURED_PACKAGES = [
  'libsodium-sumo',
  'libsodium-wrappers-sumo',
  'sodium-native',
  '@noble/curves',
  '@noble/hashes',
  '@noble/ciphers',
  '@noble/post-quantum',
]

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly openssl: string
  readonly commit: string
  readonly packages: Readonly<Record<string, string>>
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    openssl: process.versions.openssl ?? 'none',
    commit: commit(),
    packages: Object.fromEntries(MEASURED_PACKAGES.map(name => [name, version(name)])),
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

/** The version of an installed package; its package.json may be hidden by `exports`, so the folder is found first. */
function version(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version
    } catch {
      // not in this folder
    }
  }
  return 'absent'
}
