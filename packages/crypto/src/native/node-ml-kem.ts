/**
 * ML-KEM-768 of node:crypto, where this Node has it: found out by trying, not by version.
 *
 * Keys pass as DER with fixed prefixes (RFC 9935): SubjectPublicKeyInfo for the public key, PKCS#8 with the 64-byte seed for the
 * secret key. Deterministic encapsulation and the expanded secret key are not to be had from node:crypto and stay with WebAssembly.
 */
import * as nodeCrypto from 'node:crypto'
import { constantTimeEqual } from '../constant-time-equal.ts'
import type { MlKemOperations, PreparedPublic, PreparedSecret, RawEncapsulation } from '../provider.ts'
import { wipe } from '../wipe.ts'
import { plainBytes } from './plain-bytes.ts'

interface KemFunctions {
  encapsulate(key: nodeCrypto.KeyObject): { ciphertext: Uint8Array; sharedKey: Uint8Array }
  decapsulate(key: nodeCrypto.KeyObject, ciphertext: Uint8Array): Uint8Array
}

const PUBLIC_DER_PREFIX = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex')
const SEED_DER_PREFIX = Buffer.from('3054020100300b060960864801650304040204428040', 'hex')
const SEED_BYTES = 64

/** undefined: this Node lacks a part of it. `wasm` does what node:crypto cannot. */
export function nodeMlKem(wasm: MlKemOperations): MlKemOperations | undefined {
  const kem = nodeCrypto as unknown as KemFunctions
  const operations: MlKemOperations = {
    mlKem768KeyPair(seed) {
      const { publicKey, secretKey } = wasm.mlKem768KeyPair(seed)
      return { publicKey, secretKey: preparedSecret(kem, seed, secretKey) }
    },
    mlKem768Prepare: publicKey => preparedPublic(kem, publicKey, wasm.mlKem768Prepare(publicKey)),
  }
  return works(operations, wasm) ? operations : undefined
}

function preparedPublic(kem: KemFunctions, publicKey: Uint8Array, deterministic: PreparedPublic): PreparedPublic {
  // The import costs as much as an encapsulation, and many a key is only checked and stored.
  let imported: nodeCrypto.KeyObject | undefined
  return {
    encapsulate: coins => deterministic.encapsulate(coins),
    encapsulateBySystem(): RawEncapsulation {
      imported ??= importPublicKey(publicKey)
      const { ciphertext, sharedKey } = kem.encapsulate(imported)
      return { ciphertext: plainBytes(ciphertext), sharedSecret: plainBytes(sharedKey) }
    },
  }
}

function importPublicKey(publicKey: Uint8Array): nodeCrypto.KeyObject {
  return nodeCrypto.createPublicKey({ key: Buffer.concat([PUBLIC_DER_PREFIX, publicKey]), format: 'der', type: 'spki' })
}

function preparedSecret(kem: KemFunctions, seed: Uint8Array, expandable: PreparedSecret): PreparedSecret {
  const der = Buffer.concat([SEED_DER_PREFIX, seed])
  const key = nodeCrypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  wipe(der)
  return {
    decapsulate: ciphertext => plainBytes(kem.decapsulate(key, ciphertext)),
    expanded: () => expandable.expanded(),
    wipe: () => expandable.wipe(),
  }
}

/** Both directions, each against the other implementation. */
function works(operations: MlKemOperations, wasm: MlKemOperations): boolean {
  try {
    const seed = new Uint8Array(SEED_BYTES)
    const { publicKey, secretKey } = operations.mlKem768KeyPair(seed)
    const sent = operations.mlKem768Prepare(publicKey).encapsulateBySystem?.()
    if (sent === undefined) return false
    const received = wasm.mlKem768KeyPair(seed).secretKey.decapsulate(sent.ciphertext)
    return constantTimeEqual(received, sent.sharedSecret) && constantTimeEqual(secretKey.decapsulate(sent.ciphertext), received)
  } catch {
    return false
  }
}
