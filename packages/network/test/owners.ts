/** Owners of accounts, providers of the primitives, and what a refused request is answered. */
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { NetworkError, type RequestSigner } from '@session-v2/network'

export const wasm = await loadCrypto({ provider: 'wasm' })
export const native = await loadCrypto({ provider: 'native' })
export const providers: [string, Crypto][] = [
  ['wasm', wasm],
  ['native', native],
]

export const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 2000)

/** The time that requests are made at. */
export const NOW_MS = 1_750_000_000_123

export interface Owner extends RequestSigner {
  /** 33 bytes. */
  readonly account: Uint8Array
}

/** The owner of the Session id of a seed of one repeated byte. */
export function sessionOwner(crypto: Crypto, byte: number): Owner {
  const { publicKey, secretKey } = keyPair(crypto, new Uint8Array(32).fill(byte))
  const accountId = `05${encodeHex(ed25519PublicToX25519(crypto, publicKey))}`
  return { accountId, account: decodeHex(accountId), publicKey, secretKey }
}

/** The owner of an account whose key is the Ed25519 key itself. */
export function keyOwner(crypto: Crypto, byte: number, prefix = '03'): Owner {
  const { publicKey, secretKey } = keyPair(crypto, new Uint8Array(32).fill(byte))
  const accountId = `${prefix}${encodeHex(publicKey)}`
  return { accountId, account: decodeHex(accountId), publicKey, secretKey }
}

export function keyPair(crypto: Crypto, seed: Uint8Array) {
  return ed25519KeyPair(crypto, Secret.of(seed.slice(), 'ed25519-seed'))
}

/** The NetworkError that `action` throws; fails when it throws none, or another. */
export function networkErrorOf(action: () => unknown): NetworkError {
  try {
    action()
  } catch (error) {
    if (error instanceof NetworkError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** Status and text that a node answers with. */
export function refusalOf(action: () => unknown): { status: number | undefined; text: string } {
  const { status, message, code, retry } = networkErrorOf(action)
  if (code !== 'malformed' || retry !== 'never') throw new Error(`${code}, ${retry}: not a refusal`)
  return { status, text: message }
}
