/** Recovery passwords. */
import { encodeHex } from '@session-v2/encoding'
import { decodeRecoveryPassword, encodeRecoveryPassword } from '@session-v2/protocol'
import type { Operation } from '../operation.ts'

/** seed (16 or 32), checksum (optional, true unless given) → words */
export const mnemonicEncode: Operation = (_, input) => {
  const checksum = input.isSet('checksum') ? input.boolean('checksum') : true
  return { words: encodeRecoveryPassword(input.bytes('seed'), { checksum }) }
}

/** words → seed (16 or 32) */
export const mnemonicDecode: Operation = (_, input) => ({ seed: encodeHex(decodeRecoveryPassword(input.text('words'))) })
