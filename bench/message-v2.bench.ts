/**
 * Sealing and opening one V2 message with forward secrecy: our protocol package over both providers, and the peers' plain version
 * over noble and libsodium-wrappers. Before anything is timed each side opens what the other sealed.
 */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import type { Crypto } from '@session-v2/crypto'
import type { Account, AccountKey, Keyring } from '@session-v2/protocol'
import {
  accountFromSeed,
  accountIdBytes,
  currentKey,
  emptyKeyring,
  openMessageV2,
  prepareRecipient,
  rotateKeyring,
  sealMessageV2,
} from '@session-v2/protocol'
import type { Candidate, Comparison } from './harness.ts'
import { compare } from './harness.ts'
import { type PeerReader, peerOpen, peerSeal } from './peers/message-v2.ts'
import type { Subjects } from './subjects.ts'

/** A short text message with its timestamp and id: the smallest padded size, 1536 bytes. */
const content = new Uint8Array(120).fill(0x61)

interface Parties {
  readonly crypto: Crypto
  readonly sender: Account
  readonly recipient: Account
  readonly keyring: Keyring
  readonly key: AccountKey
}

function parties(crypto: Crypto): Parties {
  const sender = accountFromSeed(crypto, new Uint8Array(32).fill(1))
  const recipient = accountFromSeed(crypto, new Uint8Array(32).fill(2))
  const { keyring } = rotateKeyring(crypto, emptyKeyring, new Uint8Array(32).fill(3), 1_700_000_000)
  return { crypto, sender, recipient, keyring, key: currentKey(keyring)! }
}

function peerReader(p: Parties): PeerReader {
  return {
    accountId: accountIdBytes(p.recipient.id),
    x25519: p.key.x25519.publicKey,
    mlKem: p.key.mlKem768.publicKey,
    rootX25519Secret: p.recipient.x25519.secretKey.expose().slice(),
    x25519Secret: p.key.x25519.secretKey.expose().slice(),
    mlKemSecret: p.key.mlKem768.secretKey.export().expose().slice(),
  }
}

/** X25519 by OpenSSL with prepared keys: the yardstick that says how fast this machine is at this moment. */
function yardstick(): Candidate {
  const mine = generateKeyPairSync('x25519')
  const theirs = generateKeyPairSync('x25519')
  const privateKey = createPrivateKey(mine.privateKey.export({ format: 'pem', type: 'pkcs8' }))
  const publicKey = createPublicKey(theirs.publicKey.export({ format: 'pem', type: 'spki' }))
  return { name: 'yardstick: OpenSSL X25519', run: () => diffieHellman({ privateKey, publicKey }) }
}

export function benchMessageV2(subjects: Subjects): Comparison[] {
  const own = [subjects.native, subjects.wasm].map(parties)
  const reader = peerReader(own[0]!)
  const peerSender = {
    seed: own[0]!.sender.seed.expose().slice(),
    secretKey: own[0]!.sender.ed25519.secretKey.expose().slice(),
    publicKey: own[0]!.sender.ed25519.publicKey,
  }
  const seals = own.map(p => {
    const keys = { x25519: p.key.x25519.publicKey, mlKem768: p.key.mlKem768.publicKey }
    const recipient = prepareRecipient(p.crypto, p.recipient.id, keys)
    return () => sealMessageV2(p.crypto, subjects.random, { sender: p.sender, recipient, content })
  })
  const peerSeals = subjects.peers.map(peer => () => peerSeal(peer, peerSender, reader, content))
  for (const peer of subjects.peers) for (const seal of seals) peerOpen(peer, reader, seal())
  const opens = own.map(p => {
    const sealed = peerSeals[0]!()
    return () => {
      const result = openMessageV2(p.crypto, p.recipient, p.keyring, sealed)
      if (result.outcome !== 'opened' || !result.pfs) throw new Error(`not opened: ${result.outcome}`)
      return result
    }
  })
  const sealed = seals[0]!()
  const peerOpens = subjects.peers.map(peer => () => peerOpen(peer, reader, sealed))
  return [
    compare('Seal one V2 message (1536 B on the wire)', rows(subjects, seals, peerSeals), options(subjects)),
    compare('Open one V2 message of a known sender (1536 B on the wire)', rows(subjects, opens, peerOpens), options(subjects)),
  ]
}

function rows(subjects: Subjects, own: readonly (() => unknown)[], peers: readonly (() => unknown)[]): Candidate[] {
  return [
    { name: `ours, ${subjects.native.name}`, run: own[0]! },
    { name: `ours, ${subjects.wasm.name}`, run: own[1]! },
    ...peers.map((run, i) => ({ name: subjects.peers[i]!.name, run })),
    yardstick(),
  ]
}

function options(subjects: Subjects): { baseline: string; rounds: number; sliceMs: number } {
  return { baseline: `ours, ${subjects.native.name}`, rounds: 15, sliceMs: 40 }
}
