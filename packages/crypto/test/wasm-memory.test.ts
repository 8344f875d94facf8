/** What passes through the WebAssembly memory leaves no trace there, and does not have to fit the permanent area. */
import { describe, expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { RAW } from '../src/provider.ts'
import { wasmXChaCha } from '../src/wasm/ciphers.ts'
import { wasmCurves } from '../src/wasm/curves.ts'
import { wasmHashes } from '../src/wasm/hashes.ts'
import { wasmMlKem } from '../src/wasm/ml-kem.ts'
import { SodiumMemory } from '../src/wasm/sodium-memory.ts'
import { providers } from './providers.ts'

const TEN_MEGABYTES = 10_000_000
const key = new Uint8Array(32).fill(0xa5)
const nonce = new Uint8Array(24).fill(0x5a)

describe('the memory between calls', () => {
  it('is zero wherever arguments and results have been', async () => {
    const memory = await SodiumMemory.start()
    const [curves, hashes, ciphers, kem] = [wasmCurves(memory), wasmHashes(memory), wasmXChaCha(memory), wasmMlKem(memory)]
    const permanentAt = memory.open(1)
    const calls = [
      () => curves.x25519(key, curves.x25519Public(key)),
      () => curves.ed25519Sign(curves.ed25519KeyPair(key).secretKey, nonce),
      () => hashes.blake2b(32, [nonce], key, new Uint8Array(16).fill(1)),
      () => hashes.shake256([key], [32, 24]),
      () => hashes.hmacSha256(key, [nonce]),
      () => ciphers.xchacha20Poly1305Decrypt(key, nonce, ciphers.xchacha20Poly1305Encrypt(key, nonce, key, nonce), nonce),
      () => ciphers.xchacha20Poly1305Decrypt(key, nonce, new Uint8Array(40).fill(3), nonce),
      () => kem.mlKem768KeyPair(new Uint8Array(64).fill(7)).secretKey.decapsulate(new Uint8Array(1088).fill(1)),
    ]
    for (const call of calls) {
      call()
      expect(memory.raw.HEAPU8.subarray(permanentAt, permanentAt + 65536).every(byte => byte === 0)).toBe(true)
    }
  })

  it('is given back and wiped after a large call', async () => {
    const memory = await SodiumMemory.start()
    const large = memory.open(TEN_MEGABYTES)
    memory.raw.HEAPU8.fill(1, large, large + TEN_MEGABYTES)
    memory.close(large, TEN_MEGABYTES)
    expect(memory.raw.HEAPU8.subarray(large + 16, large + TEN_MEGABYTES - 16).every(byte => byte === 0)).toBe(true)
    const grownBytes = memory.raw.HEAPU8.length
    for (let i = 0; i < 5; i++) memory.close(memory.open(TEN_MEGABYTES), TEN_MEGABYTES)
    expect(memory.raw.HEAPU8.length).toBe(grownBytes)
  })

  it('says so when there is none left', async () => {
    const memory = await SodiumMemory.start()
    expect(() => memory.open(2 ** 31 - 65536)).toThrow(expect.objectContaining({ code: 'unavailable' }))
  })
})

describe.each(providers)('ten megabytes with %s', (_, crypto) => {
  const text = new Uint8Array(TEN_MEGABYTES)
  for (let at = 0; at < text.length; at += 1009) text[at] = at % 251

  it('pass through the ciphers', () => {
    const sealed = api.xchacha20Poly1305Encrypt(crypto, key, nonce, text)
    expect(sealed).toHaveLength(TEN_MEGABYTES + 16)
    expect(api.constantTimeEqual(api.xchacha20Poly1305Decrypt(crypto, key, nonce, sealed), text)).toBe(true)
    const stream = api.xchacha20(crypto, key, nonce, text)
    expect(api.constantTimeEqual(api.xchacha20(crypto, key, nonce, stream), text)).toBe(true)
    sealed[TEN_MEGABYTES / 2] = (sealed[TEN_MEGABYTES / 2] as number) ^ 1
    expect(() => api.xchacha20Poly1305Decrypt(crypto, key, nonce, sealed)).toThrow(api.CryptoError)
  })

  it('are hashed and signed as others do', () => {
    const pair = api.ed25519KeyPair(crypto, api.Secret.of(key.slice(), 'ed25519-seed'))
    const signature = api.ed25519Sign(crypto, pair.secretKey, text)
    for (const [, other] of providers) {
      expect(api.ed25519Verify(other, pair.publicKey, text, signature)).toBe(true)
      expect(other[RAW].blake2b(32, [text], undefined, undefined)).toEqual(api.blake2b(crypto, 32, [text]))
    }
    const halves = [text.subarray(0, TEN_MEGABYTES / 2), text.subarray(TEN_MEGABYTES / 2)]
    expect(api.blake2b(crypto, 32, halves, { personal: 'SessionV2Message' })).toEqual(
      api.blake2b(crypto, 32, [text], { personal: 'SessionV2Message' }),
    )
  })
})
