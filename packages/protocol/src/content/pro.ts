/** `ProMessage`: the sender's proof of a Session Pro subscription. Implements CON-02. */
import { bytes, message, submessage, uint32, uint64 } from '@session-v2/encoding'

const proofSchema = message({
  version: uint32(1),
  genIndexHash: bytes(2),
  rotatingPublicKey: bytes(3),
  /** Seconds since the epoch from newer clients, milliseconds from older ones: above 10^12 it is milliseconds. */
  expiry: uint64(4),
  sig: bytes(5),
})

export const proMessageSchema = message({ proof: submessage(1, proofSchema), profileBitset: uint64(2), messageBitset: uint64(3) })
