/**
 * The fast provider of Node: sodium-native for curves and messages, node:crypto for AES-256-GCM and, where it has it, ML-KEM-768.
 * All else, above all the many short hashes, stays with WebAssembly, whose calls cost less than a crossing into native code.
 *
 * node:crypto is never asked about Ed25519 or X25519: its verification is laxer and its key imports cost more than the operations.
 */
import type { Provider } from '../provider.ts'
import { startWasmProvider } from '../wasm/wasm-provider.ts'
import { nodeAesGcm } from './node-aes-gcm.ts'
import { nodeMlKem } from './node-ml-kem.ts'
import { importSodiumNative } from './sodium-native.ts'
import { nativeArgon2id, nativeBox, nativeCurves, nativeXChaCha } from './sodium-operations.ts'

/** Throws when sodium-native is not there. */
export async function startNativeProvider(): Promise<Provider> {
  const sodium = await importSodiumNative()
  const wasm = await startWasmProvider()
  return {
    ...wasm,
    name: 'native',
    ...nativeCurves(sodium),
    ...nativeXChaCha(sodium),
    ...nativeBox(sodium),
    ...nativeArgon2id(sodium),
    ...nodeAesGcm,
    ...nodeMlKem(wasm),
  }
}
