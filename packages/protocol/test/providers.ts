/** Both providers of the primitives: what holds with one must hold with the other. */
import { type Crypto, loadCrypto } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { type Account, type AccountKey, accountFromSeed, accountKeyFromSeed, type Keyring, keyringOf } from '@session-v2/protocol'

export const wasm = await loadCrypto({ provider: 'wasm' })
export const native = await loadCrypto({ provider: 'native' })
export const providers: [string, Crypto][] = [
  ['wasm', wasm],
  ['native', native],
]

export const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 2000)

export function accountOf(crypto: Crypto, seedHex: string): Account {
  return accountFromSeed(crypto, decodeHex(seedHex))
}

/** An account with a seed of one repeated byte. */
export function someAccount(crypto: Crypto, byte: number): Account {
  return accountFromSeed(crypto, new Uint8Array(32).fill(byte))
}

export function someKey(crypto: Crypto, byte: number, createdAtS = 1000, rotatedAtS?: number): AccountKey {
  return accountKeyFromSeed(crypto, new Uint8Array(32).fill(byte), createdAtS, rotatedAtS)
}

export function keyringOfSeeds(crypto: Crypto, seedsHex: readonly string[]): Keyring {
  return keyringOf(
    seedsHex.map((seed, at) => accountKeyFromSeed(crypto, decodeHex(seed), 1000 - at, at === 0 ? undefined : 1000 - at)),
  )
}

/** The code of the error that `action` throws; fails when it throws none. */
export function codeThrownBy(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  throw new Error('nothing was thrown')
}
