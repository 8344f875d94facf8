/**
 * What the control of a layer asks of the node that took it off; the first row that fits (ON-20 to ON-23):
 *
 * | control has | the node | fields |
 * |---|---|---|
 * | `headers`, whatever it is | answers the payload itself | `json`, `base64` |
 * | `host`, whatever it is | posts the whole frame to a web server | `host`, `target`, `port`, `protocol` |
 * | neither | passes the payload on to a node | `destination`, `ephemeral_key`, `enc_type` |
 */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { type Control, controlField } from './frame.ts'
import { encryptionOfName, type OnionEncryption } from './layer.ts'
import type { ReplyForm } from './reply.ts'

/** A web server behind the last relay of a path. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
  readonly protocol: 'http' | 'https'
  /** Path of the URL: `/loki/…/lsrpc` or `/oxen/…/lsrpc`. */
  readonly target: string
}

/** What stands beside a ciphertext and says how it is opened. */
export interface LayerHeader {
  /** 32 bytes. */
  readonly ephemeralKey: Uint8Array
  readonly encryption: OnionEncryption
}

export type Instruction =
  | ({ readonly kind: 'here' } & ReplyForm)
  | ({ readonly kind: 'server' } & ServerAddress)
  | { readonly kind: 'relay'; readonly destination: string; readonly next: LayerHeader }

const KEY = /^[0-9a-fA-F]{64}$/
/** A name or an IPv4 address, or an IPv6 address without its brackets: nothing that would put more than a host into a URL. */
const HOST = /^([0-9A-Za-z.-]{1,253}|[0-9A-Fa-f.:]{2,45})$/
const MAX_PORT = 65535
const DEFAULT_PORT = 443
const TARGET_MAX_CHARACTERS = 256
/** Nothing that a URL gives a meaning: no query, no fragment, no escape, no step upwards. */
const TARGET = /^\/(loki|oxen)\/([A-Za-z0-9_-]+\/)*lsrpc$/

/** The fields of a control that say how the payload beside them is opened. */
export function headerFields({ ephemeralKey, encryption }: LayerHeader): Control {
  return { ephemeral_key: encodeHex(ephemeralKey), enc_type: encryption }
}

/** What a control asks; undefined for one that cannot be followed. */
export function parseInstruction(control: Control): Instruction | undefined {
  if (Object.hasOwn(control, 'headers')) return parseHere(control)
  if (Object.hasOwn(control, 'host')) return parseServer(control)
  const destination = controlField(control, 'destination')
  const next = parseHeader(control)
  if (!isKey(destination) || next === undefined) return undefined
  return { kind: 'relay', destination: destination.toLowerCase(), next }
}

/** `ephemeral_key` and `enc_type`; undefined when one is missing, malformed or not supported. */
export function parseHeader(control: Control): LayerHeader | undefined {
  const ephemeralKey = controlField(control, 'ephemeral_key')
  const encryption = encryptionOfName(controlField(control, 'enc_type'))
  return isKey(ephemeralKey) && encryption !== undefined ? { ephemeralKey: decodeHex(ephemeralKey), encryption } : undefined
}

function parseHere(control: Control): Instruction | undefined {
  const json = controlField(control, 'json') ?? false
  const base64 = controlField(control, 'base64') ?? true
  return typeof json === 'boolean' && typeof base64 === 'boolean' ? { kind: 'here', json, base64 } : undefined
}

function parseServer(control: Control): Instruction | undefined {
  const host = controlField(control, 'host')
  const target = controlField(control, 'target')
  const port = controlField(control, 'port') ?? DEFAULT_PORT
  const protocol = controlField(control, 'protocol') ?? 'https'
  if (typeof host !== 'string' || !HOST.test(host) || typeof target !== 'string' || !isTarget(target)) return undefined
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > MAX_PORT) return undefined
  return protocol === 'http' || protocol === 'https' ? { kind: 'server', host, port, protocol, target } : undefined
}

function isTarget(target: string): boolean {
  return target.length <= TARGET_MAX_CHARACTERS && TARGET.test(target)
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && KEY.test(value)
}
