/** Every primitive a V2 message costs, by both of our providers and by the peers, in one alternating run. */
import type { Crypto, Random } from '@session-v2/crypto'
import {
  blake2b,
  ed25519KeyPair,
  ed25519Sign,
  ed25519Verify,
  generateX25519,
  mlKem768Decapsulate,
  mlKem768Encapsulate,
  mlKem768KeyPair,
  prepareMlKem768PublicKey,
  Secret,
  x25519,
  xchacha20Poly1305Decrypt,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import type { Candidate, Comparison } from './harness.ts'
import { compare } from './harness.ts'
import type { PeerPrimitives } from './peers/primitives.ts'
import type { Subjects } from './subjects.ts'

const PERSONAL = 'SessionV2Message'
const key32 = new Uint8Array(32).fill(7)
const nonce24 = new Uint8Array(24).fill(9)
const text = new Uint8Array(396).fill(1)
const hashKey = new Uint8Array(33).fill(5)

type Operation = (crypto: Crypto, random: Random) => () => unknown
type PeerOperation = (peer: PeerPrimitives) => () => unknown

interface Primitive {
  readonly title: string
  readonly ours: Operation
  readonly peer: PeerOperation
}

const PRIMITIVES: readonly Primitive[] = [
  {
    title: 'BLAKE2b-64, 400 B, keyed and personalised',
    ours: crypto => () => blake2b(crypto, 64, [text], { key: hashKey, personal: PERSONAL }),
    peer: peer => () => peer.blake2b(64, text, PERSONAL, hashKey),
  },
  {
    title: 'X25519 agreement',
    ours: (crypto, random) => {
      const [a, b] = [generateX25519(crypto, random), generateX25519(crypto, random)]
      return () => x25519(crypto, a.secretKey, b.publicKey)
    },
    peer: peer => {
      const publicKey = peer.x25519Public(key32)
      return () => peer.x25519(nonceSecret, publicKey)
    },
  },
  {
    title: 'Ed25519 sign, 64 B',
    ours: crypto => {
      const { secretKey } = ed25519KeyPair(crypto, Secret.of(key32.slice(), 'ed25519-seed'))
      return () => ed25519Sign(crypto, secretKey, text.subarray(0, 64))
    },
    peer: peer => () => peer.sign(key32, peerSecretKey, text.subarray(0, 64)),
  },
  {
    title: 'Ed25519 verify, 64 B',
    ours: crypto => {
      const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(key32.slice(), 'ed25519-seed'))
      const signature = ed25519Sign(crypto, secretKey, text.subarray(0, 64))
      return () => ed25519Verify(crypto, publicKey, text.subarray(0, 64), signature)
    },
    peer: peer => {
      const signature = peer.sign(key32, peerSecretKey, text.subarray(0, 64))
      return () => peer.verify(peerSecretKey.subarray(32), text.subarray(0, 64), signature)
    },
  },
  {
    title: 'ML-KEM-768 encapsulate',
    ours: (crypto, random) => {
      const handle = prepareMlKem768PublicKey(crypto, mlKem768KeyPair(crypto, new Uint8Array(64).fill(3)).publicKey)
      return () => mlKem768Encapsulate(crypto, random, handle)
    },
    peer: peer => () => peer.encapsulate(mlKemPublic),
  },
  {
    title: 'ML-KEM-768 decapsulate',
    ours: (crypto, random) => {
      const pair = mlKem768KeyPair(crypto, new Uint8Array(64).fill(3))
      const { ciphertext } = mlKem768Encapsulate(crypto, random, prepareMlKem768PublicKey(crypto, pair.publicKey))
      return () => mlKem768Decapsulate(crypto, pair.secretKey, ciphertext)
    },
    peer: peer => {
      const { ciphertext } = peer.encapsulate(mlKemPublic)
      return () => peer.decapsulate(mlKemSecret, ciphertext)
    },
  },
  {
    title: 'XChaCha20-Poly1305 encrypt, 396 B',
    ours: crypto => () => xchacha20Poly1305Encrypt(crypto, key32, nonce24, text),
    peer: peer => () => peer.aeadEncrypt(key32, nonce24, text),
  },
  {
    title: 'XChaCha20-Poly1305 decrypt, 396 B',
    ours: crypto => {
      const sealed = xchacha20Poly1305Encrypt(crypto, key32, nonce24, text)
      return () => xchacha20Poly1305Decrypt(crypto, key32, nonce24, sealed)
    },
    peer: peer => {
      const sealed = peer.aeadEncrypt(key32, nonce24, text)
      return () => peer.aeadDecrypt(key32, nonce24, sealed)
    },
  },
]

const nonceSecret = new Uint8Array(32).fill(11)
let peerSecretKey = new Uint8Array(64)
let mlKemPublic = new Uint8Array()
let mlKemSecret = new Uint8Array()

export function benchCrypto(subjects: Subjects): Comparison[] {
  const pair = ed25519KeyPair(subjects.wasm, Secret.of(key32.slice(), 'ed25519-seed'))
  peerSecretKey = pair.secretKey.expose().slice()
  const mlKem = mlKem768KeyPair(subjects.wasm, new Uint8Array(64).fill(3))
  mlKemPublic = mlKem.publicKey.slice()
  mlKemSecret = mlKem.secretKey.export().expose().slice()
  return PRIMITIVES.map(primitive => {
    const candidates: Candidate[] = [
      { name: `ours, ${subjects.native.name}`, run: primitive.ours(subjects.native, subjects.random) },
      { name: `ours, ${subjects.wasm.name}`, run: primitive.ours(subjects.wasm, subjects.random) },
      ...subjects.peers.map(peer => ({ name: peer.name, run: primitive.peer(peer) })),
    ]
    return compare(primitive.title, candidates, { baseline: candidates[0]!.name, rounds: 9, sliceMs: 20 })
  })
}
