/** What befalls the network: weather, cut lines, and the faults of nodes. A swarm keeps a majority of its members sound. */
import { type AccountId, accountIdBytes } from '@session-v2/protocol'
import { HOUR_MS } from './device.ts'
import { CALM, SEED_PLACE, type Weather } from './network.ts'
import type { Stage } from './stage.ts'
import type { StorageNode } from './storage-node.ts'

const WEATHERS: readonly (readonly [string, Weather, number])[] = [
  ['calm', CALM, 4],
  ['slow', { ...CALM, delayMs: 4_000 }, 2],
  ['lossy', { requestLost: 0.1, answerLost: 0.1, doubled: 0.05, delayMs: 400 }, 2],
  ['doubling', { ...CALM, doubled: 0.4, delayMs: 1_500 }, 1],
  ['bad', { requestLost: 0.35, answerLost: 0.35, doubled: 0.2, delayMs: 8_000 }, 1],
]

/** Rounds of comparing after a storm, each with the next member; what differs is looked at in the second. */
const COMPARING_ROUNDS_MAX = 24

type NodeFault = 'down' | 'empty' | 'wrong clock' | 'stale' | 'censoring'
const FAULTS: readonly (readonly [NodeFault, number])[] = [
  ['down', 3],
  ['empty', 1],
  ['wrong clock', 2],
  ['stale', 2],
  ['censoring', 2],
]

/** The weather changes, a node fails or recovers, a line is cut. */
export async function strike(stage: Stage): Promise<void> {
  const { fate, network, tally } = stage
  const kind = fate.weighted([
    ['weather', 3],
    ['node', 4],
    ['mend', 3],
    ['cut', 1],
    ['outage', 1],
  ] as const)
  if (kind === 'weather') {
    const [name, weather] = fate.weighted(WEATHERS.map(each => [each, each[2]] as const))
    network.weather = weather
    tally.add(`weather: ${name}`)
    stage.log(`weather ${name}`)
  } else if (kind === 'node') await fail(stage)
  else if (kind === 'mend') await mendAll(stage)
  else cutOff(stage, kind)
}

/** A line between a device and a node is cut, or a device or the seed reaches nobody. */
function cutOff({ fate, network, tally, people, nodes }: Stage, kind: 'cut' | 'outage'): void {
  const device = fate.pick(people.flatMap(({ living }) => living))
  const node = fate.pick(nodes)!
  const isSeed = fate.happens(0.2)
  if (device === undefined) return
  tally.add(kind === 'cut' ? 'network: line cut' : isSeed ? 'network: seed cut off' : 'network: device cut off')
  if (kind === 'cut') network.cut(device.name, node.place)
  else network.isolate(isSeed ? SEED_PLACE : device.name)
}

/** One node fails, where most of its swarm stay sound. */
async function fail(stage: Stage): Promise<void> {
  const { fate, network, tally } = stage
  const node = fate.pick(stage.nodes)!
  const members = stage.nodes.filter(each => each.listed.swarmId === node.listed.swarmId)
  const faulty = members.filter(each => stage.faulty.has(each))
  if (faulty.includes(node) || (faulty.length + 1) * 2 >= members.length) return
  const fault = fate.weighted(FAULTS)
  // What only one member has is lost with its disk: the others have caught up before.
  if (fault === 'empty') {
    if (faulty.length > 0) return
    await compareNodes(stage, members)
  }
  tally.add(`node: ${fault}`)
  stage.log(`${node.place} ${fault}`)
  if (fault === 'down' || fault === 'empty') node.crash(fault === 'empty')
  else if (fault === 'wrong clock') node.clockOffsetMs = fate.whole(-48, 48) * HOUR_MS
  else if (fault === 'stale') for (const peer of members) network.cut(node.place, peer.place)
  else {
    const rest = fate.whole(0, 2)
    node.hides = hash => hash.charCodeAt(0) % 3 === rest
  }
  stage.faulty.add(node)
}

/** All nodes are sound again, and all lines whole. */
export async function mendAll(stage: Stage): Promise<void> {
  stage.network.heal()
  stage.faulty.clear()
  for (const node of stage.nodes) {
    node.hides = undefined
    node.clockOffsetMs = 0
    if (!node.isUp) await stage.restartNode(node)
  }
  stage.log('all is mended')
}

/** Rounds of comparing until the members of each swarm, or of one that has no faulty ones, hold the same of everybody. */
export async function compareNodes(stage: Stage, nodes: readonly StorageNode[] = stage.nodes): Promise<void> {
  for (let round = 0; round < COMPARING_ROUNDS_MAX; round++) {
    if ((await disagreement(stage, nodes)) === undefined) return
    for (const node of nodes) node.compare()
    await stage.world.advance(2 * 60_000)
  }
  const difference = await disagreement(stage, nodes)
  stage.violated('nodes', `after ${COMPARING_ROUNDS_MAX} rounds of comparing members of a swarm differ: ${difference}`)
}

/**
 * What members of one swarm do not hold alike, if anything. Exception `taken ahead`: what a node took while its clock was ahead the others
 * take over when that time has come.
 */
async function disagreement(stage: Stage, nodes: readonly StorageNode[]): Promise<string | undefined> {
  const running = nodes.filter(({ isUp }) => isUp)
  for (const { name, accountId } of stage.people) {
    const account = accountIdBytes(accountId as AccountId)
    const held = await Promise.all(running.map(async node => ({ node, holdings: await node.holdings(account) })))
    for (const { node, holdings } of held) {
      const members = held.filter(other => other.node.listed.swarmId === node.listed.swarmId)
      const isAhead = (item: string) => members.some(member => member.holdings.get(item) === 'ahead')
      for (const other of members) {
        const odd = [...holdings.keys()].filter(item => !other.holdings.has(item) && !isAhead(item))
        if (odd.length > 0) return `${other.node.place} lacks of ${name}: ${odd.join(', ')}`
      }
    }
  }
  return undefined
}
