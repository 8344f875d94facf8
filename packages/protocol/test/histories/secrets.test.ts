/** What becomes of secrets in histories: none is lost without being handed back, none is shown (DS-13, DS-23, DS-25, DS-37). */
import { inspect } from 'node:util'
import { Secret } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeGroupState, encodeGroupState } from '../../src/device-states/state-codec.ts'
import { native } from '../providers.ts'
import { HISTORY_SEED, live, plan } from './random-history.ts'
import type { Device, World } from './world.ts'

const RUNS = Number(process.env.SECRET_RUNS ?? 300)

/** Every secret in a value, found by walking it: nothing is known here of what a state holds where. */
function secretsIn(value: unknown, found = new Set<Secret>()): Set<Secret> {
  if (value instanceof Secret) found.add(value)
  else if (value instanceof Map) for (const pair of value) secretsIn(pair, found)
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const part of Object.values(value)) secretsIn(part, found)
  }
  return found
}

/** Before each change: what it drops it hands back, what it hands back it does not hold, and what it was given it left alone. */
function audited(world: World): void {
  const encodedStates = new Map<Device, string>()
  world.audit = (device, { state, wipe }) => {
    const kept = secretsIn(state)
    const dropped = [...secretsIn(device.state), ...world.received].filter(secret => !kept.has(secret))
    for (const secret of dropped) expect(wipe, `a dropped ${secret.role} is handed back`).toContain(secret)
    for (const secret of wipe) expect(kept.has(secret), `a ${secret.role} still in use is not handed back`).toBe(false)
    const before = encodedStates.get(device)
    if (before !== undefined) expect(encodedOf(device.state), 'the state given is unchanged').toBe(before)
    world.received.length = 0
    encodedStates.set(device, encodedOf(state))
  }
}

function encodedOf(state: Device['state']): string {
  const encoded = encodeGroupState(state)
  try {
    return encodeHex(encoded.expose())
  } finally {
    encoded.wipe()
  }
}

describe('secrets in histories', () => {
  it('every secret that a change drops is handed back to be wiped, and none that it keeps', { timeout: 300_000 }, () => {
    // A restart makes new secrets of the bytes; the old ones went down with the process.
    const withoutRestarts = plan.map(each => ({ ...each, commands: each.commands.filter(({ op }) => op !== 'restart') }))
    let wiped = 0
    fc.assert(
      fc.property(withoutRestarts, each => {
        const { world } = live(native, each, undefined, audited)
        wiped += world.devices.reduce((sum, { wipedCount }) => sum + wipedCount, 0)
      }),
      { numRuns: RUNS, seed: HISTORY_SEED },
    )
    expect(wiped).toBeGreaterThan(RUNS)
  })

  it('a state shows none of its secrets: not printed, not as JSON, not cloned', () => {
    let count = 0
    for (const each of fc.sample(plan, { numRuns: 20, seed: 7 })) {
      for (const { state } of live(native, each).world.devices) {
        const texts = [
          inspect(state, { depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null }),
          JSON.stringify(state, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
          inspect(structuredClone(state), { depth: null, showHidden: true, maxArrayLength: null }),
          inspect([...state.rows.values()], { depth: null }),
        ]
        for (const secret of secretsIn(state)) {
          count++
          const bytes = [...secret.expose()]
          for (const text of texts) {
            expect(text).not.toContain(encodeHex(secret.expose()))
            expect(text).not.toContain(bytes.slice(0, 16).join(','))
            expect(text).not.toContain(bytes.slice(0, 16).join(', '))
          }
        }
        expect(secretsIn(structuredClone(state)).size).toBe(0)
      }
    }
    expect(count).toBeGreaterThan(100)
  })

  it('a state that was encoded and decoded is the same (DS-38)', () => {
    for (const each of fc.sample(plan, { numRuns: 50, seed: 8 })) {
      for (const { state } of live(native, each).world.devices) {
        const decoded = decodeGroupState(native, encodeGroupState(state).expose())
        expect(encodedOf(decoded)).toBe(encodedOf(state))
        expect({ ...decoded, run: state.run, deviceKeys: 0, accountKeys: 0, retiredKeys: 0, farewells: 0 }).toEqual({
          ...state,
          ...{ deviceKeys: 0, accountKeys: 0, retiredKeys: 0, farewells: 0 },
        })
      }
    }
  })
})
