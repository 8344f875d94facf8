/**
 * `npm run bench [name…]`: runs the benches, prints medians and ratios, judges the bars that this project set itself, and writes
 * results/<date>-<machine>.json. Bars that are missed are printed and written like the others.
 */
import { writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { benchAbuse } from './abuse.bench.ts'
import { benchBacklog } from './backlog.bench.ts'
import { benchCatchingUp } from './catching-up.bench.ts'
import { benchCommandLine } from './cli.bench.ts'
import { benchCrypto } from './crypto.bench.ts'
import { benchDeviceGroup } from './device-group.bench.ts'
import { benchDeviceStates } from './device-states.bench.ts'
import { benchFrontEnds } from './front-ends.bench.ts'
import type { Comparison } from './harness.ts'
import { describeMachine } from './machine.ts'
import { benchMemory } from './memory.bench.ts'
import { benchMessageV2 } from './message-v2.bench.ts'
import { benchOnion } from './onion.bench.ts'
import { benchRetrieve } from './retrieve.bench.ts'
import { benchStorageRpc } from './storage-rpc.bench.ts'
import { loadSubjects, type Subjects } from './subjects.ts'
import { benchSwarmStore } from './swarm-store.bench.ts'
import { judge, printVerdicts } from './verdict.ts'

type Bench = (subjects: Subjects) => Comparison[] | Promise<Comparison[]>

const BENCHES: Readonly<Record<string, Bench>> = {
  crypto: benchCrypto,
  'message-v2': benchMessageV2,
  backlog: benchBacklog,
  'catching-up': benchCatchingUp,
  'device-group': benchDeviceGroup,
  'device-states': benchDeviceStates,
  'storage-rpc': benchStorageRpc,
  onion: benchOnion,
  retrieve: benchRetrieve,
  'swarm-store': benchSwarmStore,
  memory: benchMemory,
  'front-ends': benchFrontEnds,
  abuse: benchAbuse,
  cli: benchCommandLine,
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter(name => !(name in BENCHES))
  if (unknown.length > 0) throw new Error(`no bench is named ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`)
  const subjects = await loadSubjects()
  const machine = describeMachine()
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, OpenSSL ${machine.openssl}`)
  const comparisons: Comparison[] = []
  for (const name of names.length > 0 ? names : Object.keys(BENCHES)) comparisons.push(...(await BENCHES[name]!(subjects)))
  const verdicts = judge(comparisons)
  printVerdicts(verdicts)
  const date = new Date().toISOString().slice(0, 10)
  const label = `${process.platform}-${process.arch}-node${machine.node.split('.')[0]}`
  const file = new URL(`../results/${date}-${label}.json`, import.meta.url)
  if (names.length === 0) {
    writeFileSync(file, `${JSON.stringify({ date, machine, comparisons, verdicts }, null, 2)}\n`)
    console.log(`\nwritten to ${fileURLToPath(file).replace(process.cwd(), '.')}`)
  } else console.log('\na partial run writes no result file')
}

// A signal ends what the benches have started too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(128 + constants.signals[signal]))
await main(process.argv.slice(2))
