/**
 * Frames: the body of an onion request, and what is within each of its layers (ON-01).
 *
 *     offset  bytes
 *          0      4   n, least significant byte first
 *          4      n   payload
 *      4 + n          control: a JSON object, UTF-8, to the end
 */
import { concatBytes, decodeUtf8, encodeUtf8, readUint32Le, uint32Le } from '@session-v2/encoding'
import { NetworkError } from '../network-error.ts'
import { isObject } from '../storage-rpc/fields.ts'
import { REQUEST_MAX_BYTES } from '../storage-rpc/limits.ts'
import { CONTROL_MAX_BYTES, CONTROL_MAX_DEPTH } from './limits.ts'

const LENGTH_BYTES = 4

export type Control = Readonly<Record<string, unknown>>

export interface Frame {
  /** A view into the frame. */
  readonly payload: Uint8Array
  readonly control: Control
}

/** The bytes of a frame. Fields of `control` that are undefined are left out. */
export function encodeFrame(payload: Uint8Array, control: Control): Uint8Array {
  return concatBytes(uint32Le(payload.length), payload, encodeUtf8(JSON.stringify(control)))
}

/**
 * The frame of `bytes`, all of them.
 * @throws NetworkError `malformed`, status 400, for more than 10 MiB, a payload beyond the end, and a control that is no JSON object or
 * exceeds 16 KiB or 16 levels.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > REQUEST_MAX_BYTES) throw unreadable('a frame is too long')
  if (bytes.length < LENGTH_BYTES) throw unreadable('a frame ends within its length')
  const controlAt = LENGTH_BYTES + readUint32Le(bytes, 0)
  if (controlAt > bytes.length) throw unreadable('the payload of a frame ends beyond it')
  return { payload: bytes.subarray(LENGTH_BYTES, controlAt), control: decodeControl(bytes.subarray(controlAt)) }
}

/** A field of a control; null counts as absent. */
export function controlField(control: Control, name: string): unknown {
  return Object.hasOwn(control, name) ? (control[name] ?? undefined) : undefined
}

function decodeControl(bytes: Uint8Array): Control {
  if (bytes.length > CONTROL_MAX_BYTES) throw unreadable('the control of a frame is too long')
  let control: unknown
  try {
    const text = decodeUtf8(bytes)
    control = depthOf(text) > CONTROL_MAX_DEPTH ? undefined : JSON.parse(text)
  } catch (cause) {
    throw unreadable('the control of a frame is no JSON', cause)
  }
  if (!isObject(control)) throw unreadable(`the control of a frame is no object of at most ${CONTROL_MAX_DEPTH} levels`)
  return control
}

/** How deep the brackets of a JSON text nest; those within strings are none. */
function depthOf(text: string): number {
  let [depth, deepest, quoted] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') quoted = !quoted
    else if (quoted && character === '\\') at++
    else if (!quoted && (character === '[' || character === '{')) deepest = Math.max(deepest, ++depth)
    else if (!quoted && (character === ']' || character === '}')) depth--
  }
  return deepest
}

function unreadable(reason: string, cause?: unknown): NetworkError {
  return new NetworkError('malformed', reason, { status: 400, cause })
}
