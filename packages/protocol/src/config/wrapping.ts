/**
 * The wrapped form of configs of an account: the encrypted config as a shared config message (CON-01) in a V1 message from the
 * account to itself, sealed deterministically. `0x80` stands behind the content, without zeros.
 *
 *     V1 message   envelope with timestamp 1, no source device and no Pro signature
 *       content    11 shared config   1 kind   2 seqno   3 the encrypted config
 *
 * Implements CFG-25, CFG-26.
 */
import { type Crypto, wipe } from '@session-v2/crypto'
import { concatBytes, equalBytes } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { decodeContent, encodeContent } from '../content/content.ts'
import { encodeEnvelope, wrapEnvelope } from '../message-v1/envelope.ts'
import { openMessageV1 } from '../message-v1/open.ts'
import { sealDeterministically } from '../message-v1/seal.ts'
import { ProtocolError } from '../protocol-error.ts'

const MARKER = Uint8Array.of(0x80)
const TIMESTAMP_MS = 1
/** Clients exist that wrapped twice. */
const WRAPPINGS_MAX = 2

/** An encrypted config, wrapped. `kind` is the number of its type. */
export function wrapConfig(crypto: Crypto, account: Account, kind: number, seqno: bigint, data: Uint8Array): Uint8Array {
  const content = concatBytes(encodeContent({ sharedConfigMessage: { kind, seqno, data } }), MARKER)
  const sealed = sealDeterministically(crypto, account, account.id, content)
  wipe(content)
  return wrapEnvelope(encodeEnvelope({ timestampMs: TIMESTAMP_MS, sealed }))
}

/** The encrypted config of a message, which may be wrapped twice; what is not wrapped by this account is returned as it is. */
export function unwrapConfig(crypto: Crypto, account: Account, kind: number, message: Uint8Array): Uint8Array {
  let unwrapped = message
  for (let i = 0; i < WRAPPINGS_MAX; i++) {
    const inner = unwrapOnce(crypto, account, kind, unwrapped)
    if (inner === undefined) return unwrapped
    unwrapped = inner
  }
  return unwrapped
}

function unwrapOnce(crypto: Crypto, account: Account, kind: number, message: Uint8Array): Uint8Array | undefined {
  const opened = openMessageV1(crypto, account, message)
  if (opened.outcome !== 'opened' || !equalBytes(opened.senderEd25519, account.ed25519.publicKey)) return undefined
  try {
    const shared = decodeContent(opened.content).sharedConfigMessage
    return shared?.kind === kind ? shared.data : undefined
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return undefined
  }
}
