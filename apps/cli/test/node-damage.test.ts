import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run, start, temporaryFolder } from './command-process.ts'

const PAGE_BYTES = 4096
const ACCOUNT = `05${'ab'.repeat(32)}`

async function ready(child: ChildProcess): Promise<string> {
  const line = await new Promise<string>(resolve => child.stdout!.once('data', chunk => resolve(String(chunk))))
  return JSON.parse(line).url
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise(resolve => child.once('exit', resolve))
}

function store(url: string, text: string): Promise<Response> {
  const data = Buffer.from(text).toString('base64')
  const params = { pubkey: ACCOUNT, timestamp: Date.now(), ttl: 3_600_000, data }
  return fetch(`${url}/storage_rpc/v1`, { method: 'POST', body: JSON.stringify({ method: 'store', params }) })
}

it('node run ends with status 1 when its database turns out to be damaged, and starts again with another (NODE-28)', async () => {
  const folder = temporaryFolder()
  const file = join(folder.path, 'node.toml')
  writeFileSync(file, 'port = 0\ndata_directory = "data"\nregistry_file = "registry.json"\n')
  const register = (nodes: object[]) =>
    writeFileSync(join(folder.path, 'registry.json'), JSON.stringify({ service_node_states: nodes }))
  register([])
  const words = ['--json', 'node', 'run', '--config', file]
  const key = /[0-9a-f]{64}/.exec((await run(words)).stdout)![0]
  const at = { public_ip: '127.0.0.1', storage_port: 22_021, swarm: '7' }
  register([{ pubkey_ed25519: key, pubkey_x25519: key, ...at }])

  let child = start(words)
  const { hash } = (await (await store(await ready(child), 'a')).json()) as { hash: string }
  child.kill('SIGTERM')
  expect(await ended(child)).toBe(0)

  const database = join(folder.path, 'data', 'messages.db')
  const bytes = readFileSync(database)
  for (let found = bytes.indexOf(hash); found !== -1; found = bytes.indexOf(hash, found)) {
    const page = found - (found % PAGE_BYTES)
    bytes.fill(0xa5, page, page + PAGE_BYTES)
  }
  writeFileSync(database, bytes)
  child = start(words)
  let said = ''
  child.stderr!.on('data', chunk => {
    said += chunk
  })
  const url = await ready(child)
  child.stdout!.on('data', chunk => {
    said += chunk
  })
  const end = ended(child)
  await store(url, 'b').catch(() => undefined)
  expect(await end).toBe(1)
  expect(said).toContain('the database is damaged: the node ends')
  expect(said).toContain('"code":"store-corrupt"')
  expect(readdirSync(join(folder.path, 'data')).filter(name => /\.damaged-\d+$/.test(name))).toHaveLength(1)

  child = start(words)
  expect((await store(await ready(child), 'c')).status).toBe(200)
  child.kill('SIGTERM')
  expect(await ended(child)).toBe(0)
  folder.remove()
})
