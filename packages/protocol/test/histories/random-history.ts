/** Random histories, from fast-check, which shrinks one that fails, or from a seed, for as many steps as one likes. */
import type { Crypto } from '@session-v2/crypto'
import fc from 'fast-check'
import { type Command, History, HOSTILE_OPS, type Observer, OPS } from './commands.ts'
import { World } from './world.ts'

/** The same histories in every ordinary run; the longer command begins elsewhere each time. */
export const HISTORY_SEED = Number(process.env.HISTORY_SEED ?? 1)

export interface Plan {
  readonly seed: number
  /** How many devices are linked before the commands begin. */
  readonly links: number
  readonly commands: readonly Command[]
}

function command(ops: fc.Arbitrary<Command['op']>): fc.Arbitrary<Command> {
  return fc.record({
    op: ops,
    who: fc.nat(7),
    which: fc.nat(200),
    fate: fc.nat(2),
    waitS: fc.oneof(fc.nat(120), fc.nat(4000), fc.nat(200_000)),
  })
}

function planOf(ops: fc.Arbitrary<Command['op']>): fc.Arbitrary<Plan> {
  return fc.record({ seed: fc.nat(2 ** 30), links: fc.nat(7), commands: fc.array(command(ops), { maxLength: 40 }) })
}

const traffic = { weight: 6, arbitrary: fc.constantFrom('deliver', 'fetch', 'push', 'sync' as const) }

/** What honest devices do to one another over a swarm that is not. */
export const plan = planOf(fc.oneof(traffic, { weight: 4, arbitrary: fc.constantFrom(...OPS) }))

/** The same with an insider who makes messages up, and confirmations that come late or twice. */
export const hostilePlan = planOf(
  fc.oneof(traffic, { weight: 3, arbitrary: fc.constantFrom(...OPS) }, { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_OPS) }),
)

/** Lives through a plan. `prepare` sees the world before anything happens in it. */
export function live(
  crypto: Crypto,
  { seed, links, commands }: Plan,
  observer: Observer = { did: () => {} },
  prepare: (world: World) => void = () => {},
): History {
  const world = new World(crypto, seed)
  prepare(world)
  const history = new History(world, observer)
  const first = history.join(48)!
  history.found(first)
  history.push(first, 0)
  for (let count = 0; count < links; count++) {
    const joining = history.join(seed >> count)
    if (joining !== undefined) history.link(joining, first)
  }
  for (const each of commands) history.run(each)
  return history
}
