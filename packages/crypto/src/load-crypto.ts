/** Finding and starting a provider. */
import { type Crypto, type Provider, RAW } from './provider.ts'

type ProviderKind = 'native' | 'wasm'

const loaded = new Map<ProviderKind, Promise<Crypto>>()

/**
 * The primitives, ready for use. `native` (the default) means sodium-native and node:crypto where they are present and falls back
 * to `wasm` without a word where they are not, as in browsers; `name` tells which one it became. Each kind is started once.
 * Throws `unavailable` when WebAssembly cannot be started either.
 */
export function loadCrypto(options?: { provider?: ProviderKind }): Promise<Crypto> {
  const kind = options?.provider ?? 'native'
  const known = loaded.get(kind)
  if (known !== undefined) return known
  const crypto = kind === 'native' ? loadNative() : loadWasm()
  loaded.set(kind, crypto)
  return crypto
}

async function loadWasm(): Promise<Crypto> {
  const { startWasmProvider } = await import('./wasm/wasm-provider.ts')
  return opaque(await startWasmProvider())
}

/** The native provider, or `wasm` when `start` fails: its import does without Node's modules, the start without sodium-native. */
export async function loadNative(start: () => Promise<Provider> = startNative): Promise<Crypto> {
  let provider: Provider
  try {
    provider = await start()
  } catch {
    return loadCrypto({ provider: 'wasm' })
  }
  return opaque(provider)
}

async function startNative(): Promise<Provider> {
  const { startNativeProvider } = await import('./native/native-provider.ts')
  return startNativeProvider()
}

function opaque(provider: Provider): Crypto {
  return { name: provider.name, [RAW]: provider }
}
