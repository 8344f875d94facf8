/**
 * Opening a backlog: 10,000 V2 messages to the account keys of 16 days. The key indicator tells which of the 33 keys to try, so a
 * message costs one decapsulation, and holding 33 keys costs no more than holding one.
 */
import { type Crypto, Secret } from '@session-v2/crypto'
import {
  type AccountKeySeed,
  accountFromSeed,
  type Keyring,
  keyringOfSeeds,
  openMessageV2,
  prepareRecipient,
  sealMessageV2,
} from '@session-v2/protocol'
import { type Comparison, compare, printGrowth } from './harness.ts'
import type { Subjects } from './subjects.ts'

const MESSAGES = 10_000
const KEY_COUNTS = [1, 4, 12, 33]
const CREATED_S = 1_700_000_000
const content = new Uint8Array(120).fill(0x61)

export function benchBacklog(subjects: Subjects): Comparison[] {
  const { native: crypto, random } = subjects
  const sender = accountFromSeed(crypto, new Uint8Array(32).fill(1))
  const recipient = accountFromSeed(crypto, new Uint8Array(32).fill(2))
  const candidates = KEY_COUNTS.map(count => {
    const keyring = keyringOf(crypto, count)
    const recipients = keyring.keys.map(({ x25519, mlKem768 }) =>
      prepareRecipient(crypto, recipient.id, { x25519: x25519.publicKey, mlKem768: mlKem768.publicKey }),
    )
    const backlog = Array.from({ length: MESSAGES }, (_, at) =>
      sealMessageV2(crypto, random, { sender, content, recipient: recipients[at % count]! }),
    )
    let next = 0
    const run = () => {
      const opened = openMessageV2(crypto, recipient, keyring, backlog[next++ % MESSAGES]!)
      if (opened.outcome !== 'opened' || !opened.pfs) throw new Error(`not opened: ${opened.outcome}`)
      return opened
    }
    return { name: nameOf(count), run }
  })
  const comparison = compare(`Open one of a backlog of ${MESSAGES} V2 messages`, candidates, {
    ...{ baseline: nameOf(1), rounds: 9, sliceMs: 150 },
  })
  printGrowth('time grows with keys to the power of', comparison, KEY_COUNTS, nameOf)
  return [comparison]
}

function nameOf(count: number): string {
  return `${count} account ${count === 1 ? 'key' : 'keys'} held`
}

function keyringOf(crypto: Crypto, count: number): Keyring {
  const seeds = Array.from(
    { length: count },
    (_, at): AccountKeySeed => ({
      seed: Secret.of(new Uint8Array(32).fill(10 + at), 'account-key-seed'),
      createdAtS: CREATED_S - at * 43_200,
      ...(at === 0 ? {} : { rotatedAtS: CREATED_S - (at - 1) * 43_200 }),
    }),
  )
  return keyringOfSeeds(crypto, seeds)
}
