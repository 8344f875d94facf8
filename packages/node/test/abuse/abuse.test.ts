/**
 * Attacks on a node of a process of its own, one after the other (clauses NODE-61, NODE-100 to NODE-109,
 * NODE-116, ON-74). During each, a client at another address
 * is served whatever it asks, and the node has at most twice its idle memory and the bounds of its configuration. How fast it is served
 * is measured by the bench `abuse`.
 */
import { loadCrypto } from '@session-v2/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Attack } from './attack.ts'
import { AttackedNode } from './attacked-node.ts'
import { CONNECTION_ATTACKS } from './attacks-connections.ts'
import { LyingRelay, onionAttacks } from './attacks-onion.ts'
import { REQUEST_ATTACKS } from './attacks-requests.ts'

const MESSAGES = 15
let relay: LyingRelay
let target: AttackedNode

beforeAll(async () => {
  relay = await LyingRelay.start(await loadCrypto())
  target = await AttackedNode.start([relay.listed])
})
afterAll(async () => {
  await target.close()
  await relay.close()
})

const ATTACKS: readonly Attack[] = [...CONNECTION_ATTACKS, ...REQUEST_ATTACKS, ...onionAttacks(() => relay)]

describe('under attack, a node stays within its bounds and serves who behaves:', () => {
  it.each(ATTACKS)('$name', async ({ begin }: Attack) => {
    expect(await target.serves(MESSAGES)).toBe(2 * MESSAGES)
    target.forgetPeak()
    const attack = await begin(target)
    try {
      expect(await target.serves(MESSAGES)).toBe(2 * MESSAGES)
      await attack.finish()
    } finally {
      attack.stop()
    }
    expect(await target.serves(MESSAGES)).toBe(2 * MESSAGES)
    expect(target.peakBytes).toBeLessThanOrEqual(target.allowedBytes)
    expect(target.node.isRunning).toBe(true)
  })
})
