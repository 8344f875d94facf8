/**
 * What a client gets of a node that is under attack, beside what it gets of the same node in quiet: both in alternating rounds, for each attack. The
 * node is the daemon with its default limits, the rates on; the client has an address of its own and asks one thing after the other,
 * in turn a store of 1 KB and a retrieve, and each answer has to be 200.
 *
 * The attacker is a process at the lowest priority (nice 19), since it stands for machines of others: here it has no core of its own, and
 * would take from the client and the node by its own work what no attacker over a network can take. What is left is what its requests cost
 * the node. It is not paced: it sends as fast as the node lets it and as it gets time.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Crypto, Random } from '@session-v2/crypto'
import { buildRetrieve, encodeServiceNode } from '@session-v2/network'
import { type Comparison, median, printComparison, round } from './harness.ts'
import { ask, type Entry, INBOX, newAccount, residentMb, storeOf } from './node-load.ts'
import { endWithUs, type Member, newMember, stopProcess } from './peers/daemons.ts'
import type { Subjects } from './subjects.ts'

const MAIN = fileURLToPath(new URL('../../packages/node/dist/main.js', import.meta.url))
const ATTACKER = fileURLToPath(new URL('./peers/attacker.js', import.meta.url))
const CLIENT_ADDRESS = '127.0.0.2'
const ROUNDS = 3
/** Of one round, half of them stores. An address may ask 600 times at once and 300 times a second. */
const REQUESTS = 300
/** Of an account. */
const MESSAGES = 10
/** So long its allowance needs to fill again, and an attack to come into full swing or to be over. */
const SETTLE_MS = 1000
const ATTACKS = [
  ...['slow heads', 'slow bodies', 'endless bodies', 'endless bodies in single bytes', 'pages that nobody takes'],
  ...['10,000 connections', 'a flood of one address', 'a flood that is sent ahead', 'a flood of unknown paths'],
  ...['huge JSON', 'deep JSON', 'huge and deep bt', 'replayed signatures', 'hash squatting', 'forged path errors', 'onion loops'],
]

export async function benchAbuse({ native, random }: Subjects): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const attack of ATTACKS) comparisons.push(await benchAttack(native, random, attack))
  return comparisons
}

async function benchAttack(crypto: Crypto, random: Random, attack: string): Promise<Comparison> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-abuse-'))
  const member = await newMember(crypto, random)
  const node = await startNode(directory, member)
  const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: CLIENT_ADDRESS })
  const entry = { port: member.node.port, agent }
  const attacker = await startAttacker(attack, member)
  try {
    await measure(crypto, random, entry)
    await settle()
    const { nowMb } = residentMb(node.pid!)
    const samples: Record<'quiet' | 'attacked', number[]> = { quiet: [], attacked: [] }
    for (let i = 0; i < ROUNDS; i++) {
      samples.quiet.push(await measure(crypto, random, entry))
      attacker.send(true)
      await settle()
      samples.attacked.push(await measure(crypto, random, entry))
      attacker.send(false)
      await settle()
    }
    const [quietUs, attackedUs] = [median(samples.quiet), median(samples.attacked)]
    const rows = [
      { name: 'quiet', medianUs: round(quietUs), ratio: 1 },
      { name: 'under attack', medianUs: round(attackedUs), ratio: round(attackedUs / quietUs) },
    ]
    const figures = [
      { name: 'rate under attack over quiet', value: round(quietUs / attackedUs), unit: '×' },
      { name: 'memory before', value: nowMb, unit: 'MB' },
      { name: 'most memory', value: residentMb(node.pid!).peakMb, unit: 'MB' },
    ]
    const comparison = { title: `Abuse: ${attack}`, baseline: 'quiet', rows, figures }
    printComparison(comparison)
    return comparison
  } finally {
    agent.destroy()
    await Promise.all([stopProcess(attacker, 'SIGKILL'), stopProcess(node, 'SIGKILL')])
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Microseconds for one request of the client. */
async function measure(crypto: Crypto, random: Random, entry: Entry): Promise<number> {
  const start = process.hrtime.bigint()
  for (let i = 0; i < REQUESTS / (2 * MESSAGES); i++) {
    const signer = newAccount(crypto, random)
    const { accountId } = signer
    for (let message = 1; message <= MESSAGES; message++) {
      await ask(entry, JSON.stringify(storeOf(crypto, random, accountId)))
      const retrieve = buildRetrieve(crypto, { accountId, namespace: INBOX, timestampMs: Date.now(), signer })
      const { messages } = await ask(entry, JSON.stringify(retrieve))
      if (messages.length !== message) throw new Error(`${messages.length} messages instead of ${message}`)
    }
  }
  return Number(process.hrtime.bigint() - start) / 1000 / REQUESTS
}

async function startNode(directory: string, { seedHex, node }: Member): Promise<ChildProcess> {
  writeFileSync(join(directory, 'node.key'), `${seedHex}\n`, { mode: 0o600 })
  writeFileSync(join(directory, 'registry.json'), JSON.stringify({ service_node_states: [encodeServiceNode(node)] }))
  const config = `port = ${node.port}\ndata_directory = "."\nregistry_file = "registry.json"\n[log]\nlevel = "error"\n`
  writeFileSync(join(directory, 'node.toml'), config)
  const child = spawn(process.execPath, [MAIN, join(directory, 'node.toml')], { stdio: ['ignore', 'pipe', 'inherit'] })
  endWithUs(child)
  await new Promise((resolve, reject) => {
    child.stdout!.once('data', resolve)
    child.once('exit', () => reject(new Error('the node did not start')))
  })
  return child
}

async function startAttacker(attack: string, { node }: Member): Promise<ChildProcess> {
  const child = fork(ATTACKER, [attack, String(node.port), node.ed25519, node.x25519])
  endWithUs(child)
  await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', () => reject(new Error(`the attacker did not start: ${attack}`)))
  })
  return child
}

function settle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, SETTLE_MS))
}
