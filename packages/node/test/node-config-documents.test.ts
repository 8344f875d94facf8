import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../src/config/limits-config.ts'
import { parseNodeConfig } from '../src/config/node-config.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const guide = [...read('../../../docs/operating.md').matchAll(/^```toml\n([\s\S]*?)^```$/gm)].map(match => match[1]!)

describe('the examples of a configuration (NODE-03)', () => {
  it('in the operator’s guide are taken', () => {
    const registries = guide.map(text => parseNodeConfig(text, '/n').registry)
    expect(registries.map(({ kind }) => kind)).toEqual(['file', 'file', 'seed', 'daemon', 'file', 'file'])
    for (const registry of registries) if (registry.kind === 'file') expect(registry.file).toBe('/n/registry.json')
  })
  it('that claim to show the defaults do', () => {
    const [least, all] = guide.map(text => parseNodeConfig(text, '/n'))
    const { tls, metrics, ...defaults } = all!
    expect([tls, metrics]).toEqual(['self-signed', { host: '127.0.0.1', port: 9090 }])
    expect(defaults).toEqual(least)
    expect(defaults.limits).toEqual(DEFAULT_LIMITS)
  })
  it('beside the service is taken, and keeps its data where the service may write', () => {
    const config = parseNodeConfig(read('../deploy/node.example.toml'), '/etc')
    const unit = read('../deploy/session-v2-node.service')
    expect(unit).toContain(`StateDirectory=${config.dataDirectory.replace('/var/lib/', '')}\n`)
    expect(read('../deploy/Dockerfile')).toContain(`VOLUME ${config.dataDirectory}\n`)
    expect(config.metrics?.port).toBe(9090)
  })
})
