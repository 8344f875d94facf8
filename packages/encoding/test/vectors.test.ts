/** The known answers of the chapter "encoding". */
import { loadVectors } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import {
  type BtDict,
  type BtValue,
  decodeBase64,
  decodeBt,
  decodeHex,
  decodeMessage,
  encodeBt,
  encodeHex,
  keyBytes,
  message,
  string,
  uint64,
} from '../src/index.ts'
import { refusal } from './outcome.ts'

const Message = message({ id: uint64(1), text: string(2) })

const decoders: Readonly<Record<string, (given: string) => unknown>> = {
  bt: given => decodeBt(decodeHex(given)),
  protobuf: given => decodeMessage(Message, decodeHex(given)),
  hex: given => decodeHex(given),
  base64: given => decodeBase64(given),
}

const files = loadVectors('encoding')
const refused = files.filter(file => file.failure !== undefined)
const accepted = files.filter(file => file.failure === undefined)

describe('vectors', () => {
  it('are of both sorts', () => {
    expect(Math.min(refused.length, accepted.length)).toBeGreaterThan(5)
  })

  it.each(refused.map(file => [file.name, file] as const))('%s', (_, file) => {
    const [kind, given] = Object.entries(file.in)[0] as [string, string]
    expect(refusal(() => decoders[kind]!(given))?.code).toBe(file.failure)
  })

  it.each(accepted.map(file => [file.name, file] as const))('%s', (_, file) => {
    const value = decodeBt(decodeHex(file.in.bt))
    expect(shape(value)).toEqual(file.out)
    expect(encodeHex(encodeBt(value))).toBe(file.in.bt)
  })
})

/** What the cases say of a value. */
function shape(value: BtValue): Record<string, unknown> {
  if (typeof value === 'bigint') return { integer: String(value) }
  if (value instanceof Uint8Array) return { bytes: encodeHex(value) }
  return { keys: [...(value as BtDict).keys()].map(key => encodeHex(keyBytes(key))) }
}
