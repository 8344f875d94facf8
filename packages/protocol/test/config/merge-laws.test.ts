/** Laws of diffs and merges, on values and messages made at random (CFG-01 to CFG-16). */
import { encodeBt, encodeHex } from '@session-v2/encoding'
import {
  type ConfigDict,
  type ConfigState,
  confirmConfigPush,
  diffOf,
  dumpConfig,
  editConfig,
  emptyConfigMessage,
  encodeConfigMessage,
  type FixedMessage,
  isConfigPushDue,
  loadConfigDump,
  mergeConfig,
  mergeConfigMessages,
  newConfigState,
  nextMessage,
  parseConfigMessage,
  pushConfig,
  withValue,
} from '@session-v2/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native as crypto } from '../providers.ts'
import { type Edit, edits, someData } from './config-world.ts'

const text = (data: ConfigDict) => encodeHex(encodeBt(data))

/** The message after `before` with these edits. */
function after(before: FixedMessage, change: readonly Edit[]): FixedMessage {
  const next = nextMessage(crypto, before, {})
  const data = change.reduce((held, { path, value }) => withValue(held, path, value), next.data)
  return parseConfigMessage(crypto, encodeConfigMessage({ ...next, data }, {}), {})
}

/** The bytes that a merge makes of messages. */
function mergedBytes(messages: readonly FixedMessage[]): string {
  const merge = mergeConfigMessages(messages, {})
  const message = merge.outcome === 'adopted' ? merge.message : { ...merge, unknown: new Map(), base: merge.data }
  return encodeHex(encodeConfigMessage(message, {}))
}

describe('a message', () => {
  it('is encoded to the bytes that it was parsed from', () => {
    fc.assert(
      fc.property(fc.array(edits, { maxLength: 7 }), history => {
        const message = history.reduce(after, emptyConfigMessage(crypto))
        const bytes = encodeConfigMessage(message, {})
        expect(parseConfigMessage(crypto, bytes, {})).toEqual(message)
        expect(message.rows.length).toBe(Math.min(4, history.length))
      }),
    )
  })

  it('is all that its successor needs: a merge of both adopts the later one', () => {
    fc.assert(
      fc.property(fc.array(edits, { minLength: 1, maxLength: 8 }), history => {
        const messages = [emptyConfigMessage(crypto)]
        for (const change of history) messages.push(after(messages.at(-1)!, change))
        const merge = mergeConfigMessages(messages, {})
        expect(merge).toMatchObject({ outcome: 'adopted', index: messages.length - 1 })
      }),
    )
  })
})

describe('a diff', () => {
  it('on one line of history makes the later data of the earlier, with another line beside it that touches nothing', () => {
    fc.assert(
      fc.property(someData, someData, (data, later) => {
        const at = (value: ConfigDict) => [{ path: ['x'], value }]
        const root = after(emptyConfigMessage(crypto), at(data))
        const left = after(root, [{ path: ['y'], value: 1n }])
        const right = after(root, at(later))
        const merge = mergeConfigMessages([left, right], {})
        const wanted = withValue(withValue(new Map(), ['x'], later), ['y'], 1n)
        const same = text(right.data) === text(root.data)
        expect(merge.outcome).toBe('merged')
        if (merge.outcome === 'merged') expect(text(merge.data)).toBe(text(same ? left.data : wanted))
      }),
    )
  })

  it('of equal data is empty, and one of different data is not', () => {
    fc.assert(
      fc.property(someData, someData, (a, b) => {
        expect(diffOf(a, new Map(a)).size).toBe(0)
        expect(diffOf(a, b).size === 0).toBe(text(a) === text(b))
      }),
    )
  })
})

describe('a merge', () => {
  it('of any number of messages gives the same bytes in any order, with repetitions', () => {
    const world = fc.record({
      root: fc.array(edits, { maxLength: 3 }),
      branches: fc.array(fc.array(edits, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 }),
      orders: fc.array(fc.array(fc.nat(), { minLength: 24, maxLength: 24 }), { minLength: 4, maxLength: 4 }),
    })
    fc.assert(
      fc.property(world, ({ root, branches, orders }) => {
        const start = root.reduce(after, emptyConfigMessage(crypto))
        const messages = branches.flatMap(branch => {
          let message = start
          return branch.map(change => (message = after(message, change)))
        })
        const wanted = mergedBytes(messages)
        for (const order of orders) {
          const shuffled = [...messages, ...messages.slice(0, 2)]
            .map((message, at) => ({ message, rank: order[at % order.length]! }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ message }) => message)
          expect(mergedBytes(shuffled)).toBe(wanted)
        }
      }),
    )
  })

  it('of two edits at different places keeps both', () => {
    const root = after(emptyConfigMessage(crypto), [])
    const left = after(root, [{ path: ['a'], value: 1n }])
    const right = after(root, [{ path: ['b', 'c'], value: 2n }])
    const merge = mergeConfigMessages([left, right], {})
    expect(merge).toMatchObject({ outcome: 'merged', seqno: 3n })
    if (merge.outcome === 'merged') expect(text(merge.data)).toBe('64313a61693165313a6264313a636932656565')
  })
})

/** Devices of one account and the messages that the swarm holds. */
class Swarm {
  readonly stored = new Map<string, Uint8Array>()
  readonly devices: ConfigState[]

  constructor(count: number) {
    this.devices = Array.from({ length: count }, () => newConfigState(crypto))
  }

  edit(at: number, change: readonly Edit[]): void {
    const apply = (data: ConfigDict) => change.reduce((held, { path, value }) => withValue(held, path, value), data)
    this.devices[at] = editConfig(crypto, this.devices[at]!, apply)
  }

  push(at: number): void {
    if (!isConfigPushDue(this.devices[at]!)) return
    const { state, seqno, plaintext, obsolete } = pushConfig(crypto, this.devices[at]!)
    const hash = encodeHex(plaintext)
    this.stored.set(hash, plaintext)
    for (const old of obsolete) if (old !== hash) this.stored.delete(old)
    this.devices[at] = confirmConfigPush(state, seqno, [hash])
  }

  pull(at: number, from: readonly string[] = [...this.stored.keys()]): void {
    const received = from.flatMap(hash => {
      const plaintext = this.stored.get(hash)
      return plaintext === undefined ? [] : [{ hashes: [hash], plaintext }]
    })
    const { state, refused } = mergeConfig(crypto, this.devices[at]!, received)
    expect(refused).toEqual([])
    this.devices[at] = state
  }

  restart(at: number): void {
    this.devices[at] = loadConfigDump(crypto, dumpConfig(this.devices[at]!).dump)
  }

  /** Everyone pulls and pushes until nobody has anything to push. Returns how many rounds it took. */
  settle(): number {
    for (let round = 1; round <= 8; round++) {
      for (const at of this.devices.keys()) {
        this.pull(at)
        this.push(at)
      }
      for (const at of this.devices.keys()) this.pull(at)
      if (!this.devices.some(isConfigPushDue)) return round
    }
    throw new Error('the devices do not settle')
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('edit' as const), change: edits }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('push' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pull' as const), part: fc.array(fc.boolean(), { maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

describe('devices', () => {
  it('come to the same bytes whatever they edit, whenever they push, and however they group what they merge', () => {
    const history = fc.array(fc.tuple(fc.nat({ max: 5 }), step), { maxLength: 40 })
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), history, (count, steps) => {
        const swarm = new Swarm(count)
        for (const [who, action] of steps) {
          const at = who % count
          if (action.kind === 'edit') swarm.edit(at, action.change)
          else if (action.kind === 'push') swarm.push(at)
          else if (action.kind === 'restart') swarm.restart(at)
          else
            swarm.pull(
              at,
              [...swarm.stored.keys()].filter((_, i) => action.part[i % (action.part.length || 1)] ?? true),
            )
        }
        swarm.settle()
        const bytes = swarm.devices.map(({ message }) => encodeHex(encodeConfigMessage(message, {})))
        expect(new Set(bytes).size).toBe(1)
        const everything = swarm.devices.every(({ phase }) => phase === 'clean')
        expect(everything).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('that merge the same two messages write the same merged message', () => {
    const swarm = new Swarm(4)
    swarm.edit(0, [{ path: ['a'], value: 1n }])
    swarm.push(0)
    for (const at of [1, 2, 3]) swarm.pull(at)
    swarm.edit(0, [{ path: ['b'], value: 1n }])
    swarm.edit(1, [{ path: ['c'], value: 1n }])
    swarm.push(0)
    swarm.push(1)
    swarm.pull(2)
    swarm.pull(3)
    const [third, fourth] = [2, 3].map(at => pushConfig(crypto, swarm.devices[at]!))
    expect(encodeHex(third!.plaintext)).toBe(encodeHex(fourth!.plaintext))
    expect(swarm.devices[2]!.phase).toBe('dirty')
    expect(third!.obsolete.toSorted()).toEqual(fourth!.obsolete.toSorted())
  })
})
