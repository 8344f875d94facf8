/**
 * The ID of a device: 32 random bytes, which it keeps for as long as it belongs to a group and never takes up again after it was
 * removed. As text it is 64 lower-case hexadecimal characters, whose order is the order of the bytes.
 *
 * Implements DG-03.
 */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { ProtocolError, requireSize } from '../protocol-error.ts'

declare const brand: unique symbol

/** 64 lower-case hexadecimal characters. Made by `parseDeviceId` and `deviceIdOf`. */
export type DeviceId = string & { readonly [brand]: 'DeviceId' }

export const DEVICE_ID_BYTES = 32
const TEXT_FORM = /^[0-9a-fA-F]{64}$/

/** The device ID that `text` spells, in either case of letters. Throws `bad-input`. */
export function parseDeviceId(text: string): DeviceId {
  if (!TEXT_FORM.test(text)) throw new ProtocolError('bad-input', 'DG-03', 'a device ID is 64 hexadecimal characters')
  return text.toLowerCase() as DeviceId
}

/** The device ID of its 32 bytes. Throws `bad-input` for another size. */
export function deviceIdOf(bytes: Uint8Array): DeviceId {
  requireSize(bytes, DEVICE_ID_BYTES, 'DG-03', 'a device ID')
  return encodeHex(bytes) as DeviceId
}

/** Its 32 bytes. */
export function deviceIdBytes(id: DeviceId): Uint8Array {
  return decodeHex(id, DEVICE_ID_BYTES)
}
