import { type Crypto, systemRandom } from '@session-v2/crypto'
import { concatBytes, equalBytes } from '@session-v2/encoding'
import { type Account, openGroupMessage, sealGroupMessage } from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { devicesOf, fieldsOf, gone, groupOf, openAs, signedAgain, someDevice, type TestDevice, watched } from './group-world.ts'
import { fuzzRuns, native, providers, someAccount, wasm } from './providers.ts'

const random = systemRandom()

describe('group message, altered and signed again', () => {
  const account = someAccount(native, 1)
  const [device, other] = devicesOf(native, 2)
  const message = sealGroupMessage(native, random, account, groupOf(native, [device!, other!], [gone(101, 'kicked')]))
  const fields = fieldsOf(message)

  it('with one bit flipped is never opened, DG-11', () => {
    let opened = 0
    // Each byte; one of 40 where mutants are judged.
    for (let at = 0; at < message.length; at += Math.max(1, Math.floor(2000 / fuzzRuns))) {
      const changed = message.with(at, message[at]! ^ (1 << (at % 8)))
      if (openAs(native, account, device!, changed).outcome === 'opened') opened++
    }
    expect(opened).toBe(0)
  })

  it('opens only when what was flipped is of another slot, of @, X or k', () => {
    const opens = (key: string, at: number) => {
      const changed = new Map(fields).set(
        key,
        fields.get(key)!.map((byte, index) => (index === at ? byte ^ 1 : byte)),
      )
      return openAs(native, account, device!, signedAgain(native, account, changed)).outcome === 'opened'
    }
    for (const key of ['A', 'C', 'd']) for (const at of [0, 7, fields.get(key)!.length - 1]) expect(opens(key, at)).toBe(false)
    for (const key of ['@', 'X', 'k']) expect(opens(key, 3)).toBe(true)
    expect([0, 1, 2, 3].map(slot => opens('K', 34 * slot + 5)).filter(opened => !opened)).toHaveLength(1)
  })

  it('of 257 slots is malformed, and of 256 for another device', () => {
    const slots = (count: number) =>
      signedAgain(native, account, new Map(fields).set('C', new Uint8Array(1088 * count)).set('K', new Uint8Array(34 * count)))
    expect(openAs(native, account, device!, slots(256)).outcome).toBe('not-for-us')
    expect(openAs(native, account, device!, slots(257)).outcome).toBe('malformed')
  })

  it('of more than 4096 removals, or of more than 1 MiB, is malformed', () => {
    const removals = (count: number) => signedAgain(native, account, new Map(fields).set('k', new Uint8Array(16 * count)))
    expect(openAs(native, account, device!, removals(4096)).outcome).toBe('opened')
    expect(openAs(native, account, device!, removals(4097)).outcome).toBe('malformed')
    const large = signedAgain(native, account, new Map(fields).set('d', new Uint8Array(1024 * 1024)))
    expect(openAs(native, account, device!, large)).toMatchObject({ outcome: 'malformed', cause: { code: 'malformed' } })
  })
})

describe('group message made to be slow, DG-17', () => {
  it.each(providers)('is given up after eight slots whose index fits (%s)', (_, crypto) => {
    const account = someAccount(crypto, 1)
    const device = someDevice(crypto, 1)
    const message = hostile(crypto, account, device, 256)
    const { crypto: watching, calls } = watched(crypto)
    expect(openAs(watching, account, device, message).outcome).toBe('not-for-us')
    const decryptions = calls.filter(({ operation }) => operation === 'xchacha20Poly1305Decrypt')
    expect(decryptions).toHaveLength(8)
    // Two agreements tell whether A and X are usable.
    expect(calls.filter(({ operation }) => operation === 'x25519')).toHaveLength(2 + 8)
    const hashedBytes = calls
      .filter(({ operation }) => operation === 'blake2b')
      .reduce((sum, { bytes }) => sum + bytes.reduce((size, one) => size + one.length, 0), 0)
    expect(hashedBytes).toBeLessThan(12 * message.length)
  })

  it('fuzz: costs no more than a few honest ones of its size', () => {
    const account = someAccount(native, 1)
    const device = someDevice(native, 1)
    const message = hostile(native, account, device, 256)
    expect(inTime(message, () => openAs(native, account, device, message).outcome)).toBe('not-for-us')
  })
})

/** Every slot has the index of the device, and none opens anything. */
function hostile(crypto: Crypto, account: Account, device: TestDevice, slotCount: number): Uint8Array {
  const fields = fieldsOf(sealGroupMessage(crypto, random, account, groupOf(crypto, [device])))
  const A = fields.get('A')!
  const { crypto: watching, calls } = watched(crypto)
  const C = random.bytes(1088 * slotCount)
  const blank = signedAgain(crypto, account, new Map(fields).set('C', C).set('K', new Uint8Array(34 * slotCount)))
  openAs(watching, account, device, blank)
  const indices = calls
    .filter(({ operation, result }) => operation === 'blake2b' && result?.length === 2)
    .map(({ result }) => result!)
  if (indices.length !== slotCount || A.length !== 32) throw new Error('an index a slot was expected')
  const K = concatBytes(...indices.map(index => concatBytes(index, new Uint8Array(32))))
  return signedAgain(crypto, account, new Map(fields).set('C', C).set('K', K).set('d', random.bytes(600_000)))
}

describe('fuzz group message', () => {
  const account = someAccount(native, 1)
  const devices = devicesOf(native, 3)
  const message = sealGroupMessage(native, random, account, groupOf(native, devices, [gone(101, 'kicked')]))
  const fields = fieldsOf(message)
  const mutated = fc
    .tuple(fc.nat(message.length), fc.nat(30), fc.uint8Array({ maxLength: 30 }))
    .map(([at, cut, inserted]) => Uint8Array.from([...message.subarray(0, at), ...inserted, ...message.subarray(at + cut)]))
  const resigned = fc
    .tuple(fc.constantFrom('', '@', 'A', 'C', 'K', 'X', 'd', 'k'), fc.nat(4000), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    .map(([key, at, cut, inserted]) => {
      const value = fields.get(key)!
      const changed = concatBytes(value.subarray(0, at), inserted, value.subarray(at + cut))
      return signedAgain(native, account, new Map(fields).set(key, changed))
    })
  const isSame = (bytes: Uint8Array) => equalBytes(bytes, message)

  it('gives an outcome, soon; bytes that the account did not sign never open', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 500 })), bytes => {
        const { outcome } = inTime(bytes, () => openAs(native, account, devices[1]!, bytes))
        expect(isSame(bytes) ? outcome === 'opened' : ['malformed', 'forged'].includes(outcome)).toBe(true)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('gives an outcome for whatever the account signed', () => {
    fc.assert(
      fc.property(resigned, bytes => {
        const { outcome } = inTime(bytes, () => openAs(native, account, devices[1]!, bytes))
        expect(['opened', 'not-for-us', 'malformed']).toContain(outcome)
        const without = openGroupMessage(wasm, someAccount(wasm, 1), devices[1]!.id, [], bytes).outcome
        expect(['not-for-us', 'malformed']).toContain(without)
      }),
      { numRuns: Math.ceil(fuzzRuns / 4) },
    )
  })
})
