/** Starting the Zstandard codec. Nothing else knows the library. Implements CFG-18. */
import type { Compression } from './compression.ts'

let loaded: Promise<Compression> | undefined

/** The codec, ready for use: WebAssembly, so loading it takes a moment; it is started once. */
export function loadZstd(): Promise<Compression> {
  loaded ??= start()
  return loaded
}

async function start(): Promise<Compression> {
  const { init, compress, decompress } = await import('@bokuweb/zstd-wasm')
  await init()
  return { compress, decompress }
}
