/** Encodings: bytes to values and back, strict and canonical. No dependencies, no ambient calls. */
export { decodeBase64, encodeBase64 } from './base64.ts'
export { decodeBt } from './bt-decode.ts'
export { BtDictReader, BtDictWriter, type FieldSize } from './bt-dict.ts'
export { encodeBt } from './bt-encode.ts'
export {
  BT_LIMITS,
  type BtDict,
  type BtLimits,
  type BtValue,
  type ByteKey,
  byteKey,
  INT64_MAX,
  INT64_MIN,
  keyBytes,
} from './bt-value.ts'
export {
  compareBytes,
  concatBytes,
  copyBytes,
  equalBytes,
  readUint32Le,
  readUint64Be,
  readUint64Le,
  uint16Le,
  uint32Le,
  uint64Be,
  uint64Le,
  xorBytes,
} from './bytes.ts'
export { EncodingError, type EncodingErrorCode } from './encoding-error.ts'
export { decodeHex, encodeHex } from './hex.ts'
export { padWithMarker, padWithZeros, trimMarker, trimTrailingZeros } from './padding.ts'
export {
  bool,
  bytes,
  decodeMessage,
  encodeMessage,
  enumeration,
  type Field,
  fixed64,
  int64,
  type MessageOf,
  type MessageSchema,
  message,
  sfixed64,
  sint32,
  string,
  submessage,
  uint32,
  uint64,
  type ValueOfSchema,
} from './protobuf-schema.ts'
export { PROTOBUF_LIMITS, type ProtobufLimits } from './protobuf-wire.ts'
export { cutUtf8, decodeUtf8, encodeUtf8 } from './utf8.ts'
