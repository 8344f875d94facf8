/**
 * Who a node is: an Ed25519 key, kept as a seed in a file that only its owner may read (clause NODE-02). The X25519 key, to
 * which onion layers are encrypted, is derived from it.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname } from 'node:path'
import type { Crypto, Ed25519Signature, Random, X25519KeyPair } from '@session-v2/crypto'
import { ed25519KeyPair, ed25519SecretToX25519, ed25519Sign, Secret, x25519KeyPair } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { NodeError } from './node-error.ts'

const SEED_BYTES = 32
const OWNER_ONLY = 0o600
/** The rights of group and others. */
const OTHERS = 0o077

export interface NodeIdentity {
  /** 64 hexadecimal digits each. */
  readonly ed25519: string
  readonly x25519: string
  /** The X25519 keys, which open the layers of onion requests. */
  onionKeys(): X25519KeyPair
  /** The node's Ed25519 signature, 64 bytes. */
  sign(message: Uint8Array): Ed25519Signature
}

/** The identity of a 32-byte seed, which it owns from then on. */
export function identityFromSeed(crypto: Crypto, seed: Uint8Array): NodeIdentity {
  const secret = Secret.of(seed, 'ed25519-seed')
  const { publicKey, secretKey } = ed25519KeyPair(crypto, secret)
  secret.wipe()
  const onionKeys = x25519KeyPair(crypto, ed25519SecretToX25519(crypto, secretKey))
  return {
    ed25519: encodeHex(publicKey),
    x25519: encodeHex(onionKeys.publicKey),
    onionKeys: () => onionKeys,
    sign: message => ed25519Sign(crypto, secretKey, message),
  }
}

/** Reads the key file, or makes a key and the file when there is none. Throws NodeError `bad-key-file`. */
export async function loadIdentity(crypto: Crypto, random: Random, file: string): Promise<NodeIdentity> {
  return identityFromSeed(crypto, (await readSeed(file)) ?? (await createSeed(random, file)))
}

async function readSeed(file: string): Promise<Uint8Array | undefined> {
  const text = await readKeyFile(file)
  if (text === undefined) return undefined
  try {
    return decodeHex(text.trim(), SEED_BYTES)
  } catch (cause) {
    const advice = 'put back the copy of it that you keep; only without one move it away, and the node becomes another one'
    throw new NodeError('bad-key-file', `the key file ${file} is not ${SEED_BYTES * 2} hexadecimal digits: ${advice}`, { cause })
  }
}

async function readKeyFile(file: string): Promise<string | undefined> {
  let mode: number
  let text: string
  try {
    mode = (await stat(file)).mode
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new NodeError('bad-key-file', `the key file ${file} cannot be read: give it to the user that runs the node`, { cause })
  }
  // Windows has no such modes.
  if (platform() === 'win32' || (mode & OTHERS) === 0) return text
  throw new NodeError('bad-key-file', `others may read the key file ${file}: run chmod 600 on it`)
}

async function createSeed(random: Random, file: string): Promise<Uint8Array> {
  const seed = random.bytes(SEED_BYTES)
  const draft = `${file}.new`
  try {
    await mkdir(dirname(file), { recursive: true })
    // Complete under another name first: half a key file would keep the node from ever starting again.
    // A draft that was left lying would keep its mode.
    await rm(draft, { force: true })
    await writeFile(draft, `${encodeHex(seed)}\n`, { mode: OWNER_ONLY, flush: true })
    await rename(draft, file)
    return seed
  } catch (cause) {
    throw new NodeError('bad-key-file', `the key file ${file} cannot be written`, { cause })
  }
}
