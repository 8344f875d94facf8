import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorCode, records, run, temporaryFolder } from './command-process.ts'
import { TestNetwork } from './test-network.ts'

let network: TestNetwork
let node: { url: string; ed25519: string; swarm: string }
const folder = temporaryFolder()

beforeAll(async () => {
  network = await TestNetwork.start(['--nodes', '2', '--swarms', '1'])
  node = (network.ready.nodes as (typeof node)[])[0]!
})
afterAll(async () => {
  await network.stop()
  folder.remove()
})

describe('node status', () => {
  it('tells readiness, version, key, swarm, peers and clock', async () => {
    const ended = await run(['--json', 'node', 'status', '--url', node.url])
    expect(ended.status).toBe(0)
    const [status] = records(ended)
    expect(status).toMatchObject({ url: node.url, ready: true, reasons: [], swarm: node.swarm, peers: 1, ed25519: node.ed25519 })
    expect(status!.version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(Math.abs(status!.clock_off_ms as number)).toBeLessThan(60_000)
    const { stdout } = await run(['node', 'status', '--url', `${node.url}/`])
    for (const line of ['ready    yes', `key      ${node.ed25519}`, '(1 other members)']) expect(stdout).toContain(line)
  })
  it('finds the node of a configuration', async () => {
    const file = join(folder.path, 'node.toml')
    const { port } = new URL(node.url)
    writeFileSync(file, `host = "0.0.0.0"\nport = ${port}\ndata_directory = "d"\nregistry_file = "r"\n`)
    const [status] = records(await run(['--json', 'node', 'status', '--config', file]))
    expect(status).toMatchObject({ url: node.url, ready: true })
  })
  it('is an error when nothing answers, or something else does', async () => {
    const other = createServer((_, response) => response.end('{"version":7}'))
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    for (const url of [`http://127.0.0.1:${port}`, 'http://127.0.0.1:1', 'https://127.0.0.1:1']) {
      const ended = await run(['--json', 'node', 'status', '--url', url])
      expect([ended.status, errorCode(ended)]).toEqual([1, 'node-unreachable'])
    }
    other.close()
  })
  it.each([[[]], [['--url', 'http://127.0.0.1:1', '--config', 'x']], [['--url', 'ftp://x']]])(
    'refuses %j as usage',
    async words => {
      const ended = await run(['--json', 'node', 'status', ...words])
      expect([ended.status, errorCode(ended)]).toEqual([2, 'usage'])
    },
  )
})

describe('node run --print-config', () => {
  it('prints the configuration as it takes effect, and starts nothing', async () => {
    const file = join(folder.path, 'print.toml')
    writeFileSync(file, 'port = 5\ndata_directory = "d"\nregistry_file = "missing.json"\n')
    const { status, stdout } = await run(['node', 'run', '--config', file, '--print-config'])
    expect(status).toBe(0)
    expect(stdout).toContain('port = 5\n')
    expect(stdout).toContain('address_burst = 600\n')
    expect(stdout).toContain(`file = "${join(folder.path, 'missing.json')}"`)
    writeFileSync(file, stdout)
    expect((await run(['node', 'run', '--config', file, '--print-config'])).stdout).toBe(stdout)
  })
})
