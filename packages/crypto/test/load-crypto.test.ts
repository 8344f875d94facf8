/** Which provider is used where. */
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { loadCrypto } from '../src/index.ts'
import { loadNative } from '../src/load-crypto.ts'

function isInstalled(module: string): boolean {
  try {
    createRequire(import.meta.url)(module)
    return true
  } catch {
    return false
  }
}

describe('loadCrypto', () => {
  it('is native where sodium-native is installed, and by default', async () => {
    const crypto = await loadCrypto()
    expect(crypto.name).toBe(isInstalled('sodium-native') ? 'native' : 'wasm')
    expect(await loadCrypto({ provider: 'native' })).toBe(crypto)
  })

  it('starts each provider once', async () => {
    const crypto = await loadCrypto({ provider: 'wasm' })
    expect(crypto.name).toBe('wasm')
    expect(await loadCrypto({ provider: 'wasm' })).toBe(crypto)
  })

  it('falls back to wasm where the native modules are missing', async () => {
    const crypto = await loadNative(() => Promise.reject(new Error('Cannot find module')))
    expect(crypto).toBe(await loadCrypto({ provider: 'wasm' }))
  })

  it('does not show its provider', async () => {
    const crypto = await loadCrypto()
    expect(Object.keys(crypto)).toEqual(['name'])
    expect(JSON.stringify(crypto)).toBe(`{"name":"${crypto.name}"}`)
  })
})
