/**
 * How members of a swarm recognise one another on POST /swarm_rpc/v1 (clauses NODE-40, NODE-41).
 *
 * | header field | value |
 * |---|---|
 * | X-Session-Node | the sender's Ed25519 public key, 64 hexadecimal digits |
 * | X-Session-Timestamp | unix milliseconds, decimal |
 * | X-Session-Signature | padded base64 of the Ed25519 signature over `swarm_rpc` ‖ timestamp ‖ BLAKE2b-256(body) |
 *
 * The text names no receiver: the same signature goes to every peer. A peer that passes the request on within the window repeats a
 * store or a delete, which at most undoes what the client did since. With the client's own signature it can do as much.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { blake2b, type Crypto, ed25519Verify } from '@session-v2/crypto'
import { concatBytes, decodeBase64, decodeHex, encodeBase64, encodeUtf8 } from '@session-v2/encoding'
import type { NodeIdentity } from '../identity.ts'

/** How far the sender's clock may be from ours. */
const PEER_CLOCK_TOLERANCE_MS = 70_000

const TIMESTAMP = /^[0-9]{1,16}$/
const BODY_HASH_BYTES = 32
const PUBLIC_KEY_BYTES = 32
const SIGNATURE_BYTES = 64

export interface PeerHeaders extends Record<string, string> {
  'x-session-node': string
  'x-session-timestamp': string
  'x-session-signature': string
}

/** Header fields that prove who sends `body` now. */
export function signPeerRequest(crypto: Crypto, identity: NodeIdentity, body: Uint8Array, nowMs: number): PeerHeaders {
  const timestamp = String(nowMs)
  return {
    'x-session-node': identity.ed25519,
    'x-session-timestamp': timestamp,
    'x-session-signature': encodeBase64(identity.sign(signedText(crypto, timestamp, body))),
  }
}

/** Why a request is not from a peer: `refused` by form, key or signature, or signed at another time. */
export type PeerVerdict = 'genuine' | 'refused' | 'stale'

/** Checks who claims to send, then when, then the signature; `isPeer` knows the other members of our swarm. */
export function verifyPeerRequest(
  crypto: Crypto,
  headers: IncomingHttpHeaders,
  body: Uint8Array,
  nowMs: number,
  isPeer: (ed25519: string) => boolean,
): PeerVerdict {
  const { 'x-session-node': ed25519, 'x-session-timestamp': timestamp, 'x-session-signature': encoded } = headers
  if (typeof ed25519 !== 'string' || !isPeer(ed25519)) return 'refused'
  if (typeof timestamp !== 'string' || !TIMESTAMP.test(timestamp)) return 'refused'
  if (Math.abs(nowMs - Number(timestamp)) > PEER_CLOCK_TOLERANCE_MS) return 'stale'
  const signature = decodeSignature(encoded)
  if (signature === undefined) return 'refused'
  const publicKey = decodeHex(ed25519, PUBLIC_KEY_BYTES)
  return ed25519Verify(crypto, publicKey, signedText(crypto, timestamp, body), signature) ? 'genuine' : 'refused'
}

function signedText(crypto: Crypto, timestamp: string, body: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(`swarm_rpc${timestamp}`), blake2b(crypto, BODY_HASH_BYTES, [body]))
}

function decodeSignature(text: string | string[] | undefined): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const signature = decodeBase64(text)
    return signature.length === SIGNATURE_BYTES ? signature : undefined
  } catch {
    return undefined
  }
}
