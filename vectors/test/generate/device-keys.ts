/** Device keys of seeds, made from the primitives up, apart from the protocol package. */
import { type Crypto, mlKem768KeyPair, Secret, shake256, x25519KeyPair } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'

const ROWS: readonly (readonly [name: string, reason: string, seed: Uint8Array])[] = [
  [
    'expansion',
    'the domain is that of device keys: as an account key the seed is another',
    Uint8Array.from({ length: 32 }, (_, at) => at),
  ],
  ['expansion-zero', 'a seed is any 32 bytes', new Uint8Array(32)],
  ['expansion-not-clamped', 'the X25519 secret is used clamped, the seed as it is', new Uint8Array(32).fill(0xff)],
]

/** The cases, always the same. */
export function deviceKeysCases(crypto: Crypto): Case[] {
  return ROWS.map(([name, reason, seed]) => {
    const [x25519Secret, mlKemSeed] = shake256(crypto, [encodeUtf8('SessionDeviceKeys'), seed], [32, 64])
    return {
      chapter: 'device-keys',
      name,
      reason,
      clause: 'DK-01',
      in: { seed: encodeHex(seed) },
      out: {
        x25519: encodeHex(x25519KeyPair(crypto, Secret.of(x25519Secret!, 'x25519-secret')).publicKey),
        mlkem768: encodeHex(mlKem768KeyPair(crypto, mlKemSeed!).publicKey),
      },
    }
  })
}
