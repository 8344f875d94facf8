/** Both providers of the primitives: what holds with one must hold with the other. */
import { type Crypto, loadCrypto } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import {
  type Account,
  type AccountKey,
  accountFromSeed,
  accountKeyFromSeed,
  type Keyring,
  keyringOf,
  ProtocolError,
} from '@session-v2/protocol'
import type { VectorFile } from '@session-v2/vectors'

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

/** What `action` throws. Fails when it throws nothing, or no ProtocolError. */
export function protocolErrorBy(action: () => unknown): ProtocolError {
  try {
    action()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The same as code and clause (`bad-input DS-18`), text, and the code of the cause, with its clause if it names one. */
export function refusalOf(action: () => unknown): [refusal: string, text: string, cause?: string] {
  const error = protocolErrorBy(action)
  const said = ({ code, clause }: { code: string; clause?: string }) => (clause === undefined ? code : `${code} ${clause}`)
  if (error.cause === undefined) return [said(error), error.message]
  return [said(error), error.message, said(error.cause as ProtocolError)]
}

/** The code and the clause alone: `bad-input DS-18`. */
export function refusalBy(action: () => unknown): string {
  return refusalOf(action)[0]
}

/** The outcome that a vector names. Where an outcome has its cause, that names the clause of the vector. */
export function refusedAs({ failure, clause }: VectorFile): object {
  return failure === 'malformed' ? { outcome: failure, cause: { clause } } : { outcome: failure }
}
