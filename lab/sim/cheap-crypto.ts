/**
 * The primitives of a simulation: the real ones, two of them cheaper.
 *
 * | operation | here | because |
 * |---|---|---|
 * | Argon2id | BLAKE2b | the pictures of a link request cost 16 MiB and some 40 ms, which is what it is for |
 * | Ed25519 verification | a signature is verified once, and its verdict remembered | all nodes are in one process, and each member verifies what all get |
 */
import { blake2b, type Crypto, loadCrypto } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'

/** What is replaced of a provider. */
interface Replaced {
  argon2id(password: Uint8Array, salt: Uint8Array, opsLimit: number, memoryBytes: number, sizeBytes: number): Uint8Array
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** Verdicts that are remembered. */
const REMEMBERED_MAX = 500

/** The primitives of a simulation. */
export async function loadCheapCrypto(): Promise<Crypto> {
  const crypto = await loadCrypto()
  const [place] = Object.getOwnPropertySymbols(crypto)
  const provider = (crypto as unknown as Record<symbol, Replaced>)[place!]!
  const argon2id: Replaced['argon2id'] = (password, salt, _opsLimit, _memoryBytes, sizeBytes) =>
    blake2b(crypto, sizeBytes, [salt, password])
  return { ...crypto, [place!]: { ...provider, argon2id, ed25519Verify: remembering(provider) } }
}

function remembering(provider: Replaced): Replaced['ed25519Verify'] {
  const verdicts = new Map<string, { readonly publicKey: Uint8Array; readonly message: Uint8Array; readonly isGood: boolean }>()
  return (publicKey, message, signature) => {
    const name = Buffer.from(signature.buffer, signature.byteOffset, signature.length).toString('latin1')
    const known = verdicts.get(name)
    if (known !== undefined && equalBytes(known.publicKey, publicKey) && equalBytes(known.message, message)) return known.isGood
    const isGood = provider.ed25519Verify(publicKey, message, signature)
    if (verdicts.size >= REMEMBERED_MAX) verdicts.clear()
    verdicts.set(name, { publicKey: publicKey.slice(), message: message.slice(), isGood })
    return isGood
  }
}
