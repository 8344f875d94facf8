/** scratch */
import { fork, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { encodeServiceNode } from '@session-v2/network'
import { median } from './harness.ts'

const rss = (pid: number, name = 'VmHWM') =>
  Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)
const cpu = (pid: number) => {
  const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')
  return (Number(f[13]) + Number(f[14])) * 10
}
const sleep = (ms: number) => new Promise(r => setTimeout(r, ms))
const crypto: Crypto = await loadCrypto()
const seed = systemRandom().bytes(32)
const { publicKey } = ed25519KeyPair(crypto, Secret.of(seed.slice(), 'ed25519-seed'))
const ed25519 = encodeHex(publicKey),
  x25519 = encodeHex(ed25519PublicToX25519(crypto, publicKey))
const dir = mkdtempSync(join(tmpdir(), 'abuse-'))
const port = await new Promise<number>(r => {
  const s = createServer().listen(0, '127.0.0.1', () => {
    const { port } = s.address() as any
    s.close(() => r(port))
  })
})
writeFileSync(join(dir, 'node.key'), encodeHex(seed) + '\n', { mode: 0o600 })
writeFileSync(join(dir, 'node.toml'), `port = ${port}\ndata_directory = "."\nregistry_file = "registry.json"\n`)
writeFileSync(
  join(dir, 'registry.json'),
  JSON.stringify({
    service_node_states: [encodeServiceNode({ ed25519, x25519, host: '127.0.0.1', port, protocol: 'http', swarmId: 1n })],
  }),
)
const main = fileURLToPath(new URL('../../packages/node/dist/main.js', import.meta.url))
const names = process.argv.slice(2)
for (const name of names) {
  const child = spawn(process.execPath, [main, join(dir, 'node.toml')], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise(r => child.stdout!.once('data', r))
  await sleep(1000)
  const idle = rss(child.pid!, 'VmRSS')
  const attacker = fork(fileURLToPath(new URL('./peers/attacker.js', import.meta.url)), [name, String(port), ed25519, x25519])
  await new Promise(r => attacker.once('message', r))
  const agents = [0, 1, 2, 3].map(i => new Agent({ keepAlive: true, maxSockets: 1, localAddress: `127.0.0.${2 + i}` }))
  const bad: Record<string, number> = {}
  const ask = (agent: Agent, body: string) =>
    new Promise<number>(res => {
      const out = request(
        {
          host: '127.0.0.1',
          port,
          path: '/storage_rpc/v1',
          method: 'POST',
          agent,
          headers: { 'content-length': Buffer.byteLength(body) },
        },
        r => {
          r.resume()
          r.on('end', () => res(r.statusCode!))
        },
      )
      out.on('error', (e: any) => res(e.code))
      out.end(body)
    })
  const measure = async (ms: number) => {
    const until = performance.now() + ms
    const from = performance.now()
    let n = 0
    await Promise.all(
      agents.map(async agent => {
        const account = '05' + encodeHex(systemRandom().bytes(32))
        for (let i = 0; performance.now() < until; i++) {
          if (n % 50 === 0) {
          }
          const acc =
            i % 30 === 0 ? '05' + encodeHex(systemRandom().bytes(32)) : account.slice(0, 64) + String(i % 30).padStart(2, '0')
          const s = await ask(
            agent,
            JSON.stringify({
              method: 'store',
              params: {
                pubkey: acc,
                timestamp: Date.now(),
                ttl: 3600000,
                data: Buffer.from(systemRandom().bytes(1024)).toString('base64'),
              },
            }),
          )
          if (s === 200) n++
          else bad[s] = (bad[s] ?? 0) + 1
        }
      }),
    )
    return n / ((performance.now() - from) / 1000)
  }
  await measure(500)
  await sleep(1500)
  const quiet: number[] = [],
    loud: number[] = [],
    load: number[] = []
  const log: string[] = []
  for (let i = 0; i < 3; i++) {
    quiet.push(await measure(1000))
    attacker.send(true)
    await sleep(2000)
    const c0 = cpu(child.pid!),
      a0 = cpu(attacker.pid!),
      t0 = performance.now()
    loud.push(await measure(1000))
    const dt = performance.now() - t0
    load.push(Math.round(((cpu(child.pid!) - c0) / dt) * 100))
    log.push(`a${Math.round(((cpu(attacker.pid!) - a0) / dt) * 100)}`)
    attacker.send(false)
    await sleep(1500)
  }
  console.log(
    name.padEnd(26),
    'quiet',
    quiet.map(Math.round).join(' '),
    'loud',
    loud.map(Math.round).join(' '),
    'ratio',
    (median(loud) / median(quiet)).toFixed(2),
    'node cpu',
    load.join(' '),
    log.join(' '),
    'idle',
    idle,
    'peak',
    rss(child.pid!),
    JSON.stringify(bad),
  )
  attacker.disconnect()
  agents.forEach(a => a.destroy())
  child.kill('SIGKILL')
  await new Promise(r => child.once('exit', r))
}
rmSync(dir, { recursive: true })
