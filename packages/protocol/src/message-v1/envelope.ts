/**
 * The outside of a V1 message: protobuf messages (proto2) in one another, neither encrypted nor signed. Whoever passes the message
 * on can change everything here but the sealed box.
 *
 *     WebSocketMessage   1 type = 1, a request    2 request
 *       request          1 verb = ""   2 path = ""   3 body, the envelope   4 requestId = 0
 *         envelope       1 type = 6   2 source   5 timestamp, ms   7 sourceDevice = 1   8 content, the sealed box   11 proSig, 64 bytes
 *
 * What is written is written also when it is empty or zero. `source` is not written. Who sent the message stands in the sealed box.
 *
 * Implements DM1-01, DM1-02, DM1-04.
 */
import {
  bytes,
  decodeMessage,
  encodeMessage,
  enumeration,
  type MessageSchema,
  message,
  PROTOBUF_LIMITS,
  string,
  submessage,
  uint64,
} from '@session-v2/encoding'
import { type ClauseId, ProtocolError } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'

const TYPE_REQUEST = 1
const TYPE_SESSION_MESSAGE = 6n
const PRO_SIGNATURE_BYTES = 64
/** Empty, or an account ID as hexadecimal text. */
const SOURCE_FORM = /^([0-9a-fA-F]{66})?$/
/** Far above what a storage node takes; a message beyond it is neither sealed nor read. */
export const MAX_MESSAGE_BYTES = 1024 * 1024
/** More than the fields around a sealed box can have as written. */
export const OUTSIDE_MAX_BYTES = 112
/** A peer may write fields that we do not know, but not hundreds of thousands of them. */
const LIMITS = { ...PROTOBUF_LIMITS, sizeBytes: MAX_MESSAGE_BYTES, values: 1000 }

/** Fields that nobody reads have a kind that takes every value a peer may write there. */
const requestSchema = message({ verb: bytes(1), path: bytes(2), body: bytes(3), requestId: uint64(4) })
const webSocketSchema = message({ type: enumeration(1), request: submessage(2, requestSchema) })
const envelopeSchema = message({
  type: uint64(1),
  source: string(2),
  timestamp: uint64(5),
  sourceDevice: uint64(7),
  content: bytes(8),
  proSig: bytes(11),
})

export interface Envelope {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number
  /** The sealed box. */
  readonly sealed: Uint8Array
  /** 64 bytes. */
  readonly proSignature?: Uint8Array
}

/** The bytes of an envelope. A message to a person names a `sourceDevice`, 1. Throws `bad-input` for a time that is none. */
export function encodeEnvelope({
  timestampMs,
  sealed,
  proSignature,
  sourceDevice,
}: Envelope & { readonly sourceDevice?: 1 }): Uint8Array {
  if (!(Number.isSafeInteger(timestampMs) && timestampMs >= 0)) {
    throw new ProtocolError('bad-input', 'DM1-04', `${timestampMs} is not a time in whole milliseconds since the epoch`)
  }
  return encodeMessage(envelopeSchema, {
    type: TYPE_SESSION_MESSAGE,
    timestamp: BigInt(timestampMs),
    sourceDevice: sourceDevice === undefined ? undefined : BigInt(sourceDevice),
    content: sealed,
    proSig: proSignature,
  })
}

/** The envelope of its bytes. Throws `malformed`. */
export function decodeEnvelope(encoded: Uint8Array): Envelope {
  const { source = '', timestamp, content, proSig } = decode(envelopeSchema, encoded, 'DM1-04', 'envelope')
  if (!SOURCE_FORM.test(source)) throw new ProtocolError('malformed', 'DM1-04', 'the source of the envelope is no account ID')
  if (timestamp === undefined || timestamp > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ProtocolError('malformed', 'DM1-04', 'the envelope has no time in milliseconds')
  }
  if (content === undefined) throw new ProtocolError('malformed', 'DM1-04', 'the envelope has no content')
  if (proSig !== undefined && proSig.length !== PRO_SIGNATURE_BYTES) {
    throw new ProtocolError('malformed', 'DM1-04', `the Pro signature of the envelope has ${proSig.length} bytes`)
  }
  return { timestampMs: Number(timestamp), sealed: content, ...(proSig === undefined ? {} : { proSignature: proSig }) }
}

/** The message that carries the bytes of an envelope. */
export function wrapEnvelope(envelope: Uint8Array): Uint8Array {
  const nothing = new Uint8Array(0)
  return encodeMessage(webSocketSchema, {
    type: TYPE_REQUEST,
    request: { verb: nothing, path: nothing, body: envelope, requestId: 0n },
  })
}

/** The bytes of the envelope that a message carries. Throws `malformed`, for more than 1 MiB too. */
export function unwrapEnvelope(wrapped: Uint8Array): Uint8Array {
  const { type, request } = decode(webSocketSchema, wrapped, 'DM1-02', 'message')
  if (type !== TYPE_REQUEST) throw new ProtocolError('malformed', 'DM1-02', 'the message is no request')
  if (request?.body === undefined) throw new ProtocolError('malformed', 'DM1-02', 'the message has no body')
  return request.body
}

function decode<T>(schema: MessageSchema<T>, encoded: Uint8Array, clause: ClauseId, noun: string): T {
  return readForm(clause, `this is no V1 ${noun}`, () => decodeMessage(schema, encoded, LIMITS))
}
