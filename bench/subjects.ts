/** What the benches measure: our two providers and the peers. */
import type { Crypto, Random } from '@session-v2/crypto'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { loadWrappers, noble, type PeerPrimitives } from './peers/primitives.ts'

export interface Subjects {
  readonly native: Crypto
  readonly wasm: Crypto
  readonly random: Random
  readonly peers: readonly PeerPrimitives[]
}

export async function loadSubjects(): Promise<Subjects> {
  return {
    native: await loadCrypto({ provider: 'native' }),
    wasm: await loadCrypto({ provider: 'wasm' }),
    random: systemRandom(),
    peers: [noble, await loadWrappers()],
  }
}
