/** The provider for every platform: libsodium compiled to WebAssembly, and AES in JavaScript. */
import type { Provider } from '../provider.ts'
import { javaScriptAesGcm } from './aes-gcm.ts'
import { wasmBox, wasmXChaCha } from './ciphers.ts'
import { wasmCurves, wasmScalars } from './curves.ts'
import { wasmHashes } from './hashes.ts'
import { wasmMlKem } from './ml-kem.ts'
import { SodiumMemory } from './sodium-memory.ts'

/** Throws `unavailable` when the module does not start. */
export async function startWasmProvider(): Promise<Provider> {
  const memory = await SodiumMemory.start()
  return {
    name: 'wasm',
    ...wasmHashes(memory),
    ...wasmCurves(memory),
    ...wasmScalars(memory),
    ...wasmXChaCha(memory),
    ...wasmBox(memory),
    ...wasmMlKem(memory),
    ...javaScriptAesGcm,
  }
}
