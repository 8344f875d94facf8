/**
 * Takes one layer off an onion request: what a node does with a body of `POST /onion_req/v2` before it answers, relays or refuses
 * (ON-02, ON-03, ON-23, ON-30, ON-31).
 *
 * | refused | status, text | in the clear |
 * |---|---|---|
 * | `form` | 400 `Error parsing onion request: malformed` | yes |
 * | `encryption` | 400 `Error parsing onion request: unsupported enc_type` | yes |
 * | `hops` | 400 `onion request max path length exceeded` | yes |
 * | `ciphertext` | 400 `Invalid ciphertext` | yes |
 * | `control` | 400 `Invalid json` | no: a reply under the key of the layer |
 */
import type { Crypto, X25519KeyPair } from '@session-v2/crypto'
import { NetworkError } from '../network-error.ts'
import { headerFields, type Instruction, type LayerHeader, parseHeader, parseInstruction, type ServerAddress } from './control.ts'
import { type Control, controlField, decodeFrame, encodeFrame, type Frame } from './frame.ts'
import { encryptionOfName, type LayerKey, openLayer } from './layer.ts'
import { HOP_NO_MAX } from './limits.ts'
import type { ReplyForm } from './reply.ts'

/** The request is for this node. */
export interface PeeledHere extends ReplyForm {
  readonly kind: 'here'
  /** The JSON of a storage request. */
  readonly request: Uint8Array
  /** Seals the reply. Wipe its secret then. */
  readonly replyKey: LayerKey
}

/** The request goes on to a node. */
export interface PeeledRelay {
  readonly kind: 'relay'
  /** Ed25519 key of the next node, 64 lower-case hexadecimal digits. */
  readonly destination: string
  /** Body of the POST to it. */
  readonly body: Uint8Array
  /** The `hop_no` within that body. */
  readonly hopNo: number
}

/** The request goes on to a web server. Whether its address may be reached is the node's own decision, once the name is resolved. */
export interface PeeledServer extends ServerAddress {
  readonly kind: 'server'
  /** Body of the POST to it: the whole frame. */
  readonly body: Uint8Array
}

export interface PeelRefusal {
  readonly kind: 'refused'
  readonly reason: 'form' | 'encryption' | 'hops' | 'ciphertext' | 'control'
  readonly status: 400
  readonly text: string
  /** Where it is there, the refusal is sealed with it as a reply in the form of REPLY_FORM; else it is sent as plain text. */
  readonly replyKey?: LayerKey
}

export type Peeled = PeeledHere | PeeledRelay | PeeledServer | PeelRefusal

const TEXTS = {
  form: 'Error parsing onion request: malformed',
  ciphertext: 'Invalid ciphertext',
  encryption: 'Error parsing onion request: unsupported enc_type',
  hops: 'onion request max path length exceeded',
  control: 'Invalid json',
} as const

interface Outer extends LayerHeader {
  readonly ciphertext: Uint8Array
  readonly hopNo: number
}

/**
 * What `body` asks of the node with the X25519 keys `own`. Never throws for anything in `body`. The payloads are views into `body` or
 * into what was decrypted from it.
 */
export function peelOnion(crypto: Crypto, own: X25519KeyPair, body: Uint8Array): Peeled {
  const outer = parseOuter(body)
  if ('kind' in outer) return outer
  const opened = openLayer(crypto, own, outer.encryption, outer.ephemeralKey, outer.ciphertext)
  if (opened === undefined) return refused('ciphertext')
  const frame = frameOf(opened.text)
  const instruction = frame && parseInstruction(frame.control)
  if (frame === undefined || instruction === undefined) return { ...refused('control'), replyKey: opened.key }
  if (instruction.kind === 'here') return { ...instruction, request: frame.payload, replyKey: opened.key }
  opened.key.secret.wipe()
  // Who answers is the end of the path, however long it was.
  if (outer.hopNo > HOP_NO_MAX) return refused('hops')
  if (instruction.kind === 'server') return { ...instruction, body: opened.text }
  return relayed(instruction, frame.payload, outer.hopNo + 1)
}

function relayed(
  { destination, next }: Extract<Instruction, { kind: 'relay' }>,
  payload: Uint8Array,
  hopNo: number,
): PeeledRelay {
  return { kind: 'relay', destination, body: encodeFrame(payload, { ...headerFields(next), hop_no: hopNo }), hopNo }
}

/** What can be read without a key. Nothing here depends on a secret, so it may be refused before any work is done. */
function parseOuter(body: Uint8Array): Outer | PeelRefusal {
  const frame = frameOf(body)
  const hopNo = frame && hopNoOf(frame.control)
  if (frame === undefined || hopNo === undefined) return refused('form')
  if (encryptionOfName(controlField(frame.control, 'enc_type')) === undefined) return refused('encryption')
  const header = parseHeader(frame.control)
  return header === undefined ? refused('form') : { ...header, ciphertext: frame.payload, hopNo }
}

function frameOf(bytes: Uint8Array): Frame | undefined {
  try {
    return decodeFrame(bytes)
  } catch (error) {
    if (error instanceof NetworkError) return undefined
    throw error
  }
}

/** 0 when absent or negative; undefined for what is no integer. */
function hopNoOf(control: Control): number | undefined {
  const hopNo = controlField(control, 'hop_no') ?? 0
  return typeof hopNo === 'number' && Number.isInteger(hopNo) ? Math.max(0, hopNo) : undefined
}

function refused(reason: PeelRefusal['reason']): PeelRefusal {
  return { kind: 'refused', reason, status: 400, text: TEXTS[reason] }
}
