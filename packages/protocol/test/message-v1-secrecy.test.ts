/** What sealing V1 messages leaves in memory: nothing but what is returned (DM1-05, DM1-07). */
import { systemRandom } from '@session-v2/crypto'
import { type AccountId, sealMessageV1 } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { isZero, watched, watchedRandom } from './group-world.ts'
import { providers, refusalBy, someAccount } from './providers.ts'

const NOBODY = `05${'00'.repeat(32)}` as AccountId

describe.each(providers)('secrets of a V1 message (%s)', (_, crypto) => {
  const [sender, bob] = [someAccount(crypto, 1), someAccount(crypto, 2)]
  const message = { sender, content: new Uint8Array(10).fill(0x61), timestampMs: 5 }

  it.each([
    ['sealing', bob.id, true],
    ['sealing', bob.id, false],
    ['refusing a recipient that is none', NOBODY, true],
    ['refusing a recipient that is none', NOBODY, false],
  ])('are erased by %s (%s, deterministic: %s)', (_what, recipient, deterministic) => {
    const { random, drawn } = watchedRandom(systemRandom())
    const { crypto: watching, calls } = watched(crypto)
    const seal = () => sealMessageV1(watching, random, { ...message, recipient, deterministic })
    if (recipient === NOBODY) expect(refusalBy(seal)).toBe('bad-account-id NOT-04')
    else seal()
    const bytesOf = (name: string) => calls.flatMap(({ operation, bytes }) => (operation === name ? [bytes] : []))
    // The padded content, and what is signed of it; the Pro signature is over the sealed box.
    const padded = bytesOf('blake2b').flatMap(bytes => bytes.filter(({ length }) => length === 160))
    const signed = bytesOf('ed25519Sign').flatMap(bytes => bytes.filter(({ length }) => length === 160 + 64))
    const boxed = bytesOf('boxEncrypt').flatMap(bytes => [bytes[0]!, bytes.at(-1)!])
    expect([padded.length, signed.length, boxed.length]).toEqual([deterministic ? 1 : 0, 1, 2])
    expect([...padded, ...signed, ...boxed, ...drawn].filter(bytes => !isZero(bytes))).toEqual([])
  })
})
