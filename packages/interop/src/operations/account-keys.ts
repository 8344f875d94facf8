/** Account keys: expansion, the published record, the time of rotation. */
import { Secret, sha3_256, x25519PublicToPositiveEd25519 } from '@session-v2/crypto'
import { BtDictReader, encodeHex } from '@session-v2/encoding'
import {
  type AccountKeySeed,
  accountFromSeed,
  accountKeyFromSeed,
  accountX25519,
  buildAccountKeyRecord,
  expandKeyPair,
  type KeyDomain,
  ProtocolError,
  parseAccountId,
  rotationDelay,
  rotationDueAtS,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import type { Fields } from '../fields.ts'
import { InteropError } from '../interop-error.ts'
import { type Operation, SEED_BYTES } from '../operation.ts'

const DOMAINS: readonly KeyDomain[] = ['SessionAccountKeys', 'SessionDeviceKeys']

/** domain, seed → x25519_sec, x25519_pub, mlkem768_seed, mlkem768_pub, mlkem768_sec */
export const expand: Operation = ({ crypto }, input) => {
  const domain = DOMAINS.find(known => known === input.text('domain'))
  if (domain === undefined) throw new InteropError('bad-input', `domain is none of ${DOMAINS.join(', ')}`)
  const { x25519, mlKem768 } = expandKeyPair(crypto, domain, input.bytes('seed', SEED_BYTES))
  return {
    x25519_sec: encodeHex(x25519.secretKey.expose()),
    x25519_pub: encodeHex(x25519.publicKey),
    mlkem768_seed: encodeHex(mlKem768.seed.expose()),
    mlkem768_pub: encodeHex(mlKem768.publicKey),
    mlkem768_sec: encodeHex(mlKem768.secretKey.export().expose()),
  }
}

/** root_seed, account_key_seed → message; and what it takes to check one without comparing signatures, which are random */
export const buildRecord: Operation = ({ crypto, random }, input) => {
  const account = accountFromSeed(crypto, input.bytes('root_seed', SEED_BYTES))
  const key = accountKeyFromSeed(crypto, input.bytes('account_key_seed', SEED_BYTES), 0)
  const message = buildAccountKeyRecord(crypto, random, account, key)
  const body = new BtDictReader(message).bodyBefore('~')
  return {
    message: encodeHex(message),
    signed_body_sha3_256: encodeHex(sha3_256(crypto, [body])),
    signed_body_len: body.length,
    session_id: account.id,
    verify_ed25519: encodeHex(x25519PublicToPositiveEd25519(crypto, account.x25519.publicKey)),
  }
}

/** session_id, message → M, X. Fails with bad_format or bad_signature. */
export const verifyRecord: Operation = ({ crypto }, input) => {
  const accountId = parseAccountId(input.text('session_id'))
  const message = input.bytes('message')
  try {
    const { mlKem768, x25519 } = verifyAccountKeyRecord(crypto, accountId, message)
    const verifyKey = x25519PublicToPositiveEd25519(crypto, accountX25519(accountId))
    return { ok: true, M: encodeHex(mlKem768), X: encodeHex(x25519), verify_ed25519: encodeHex(verifyKey) }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new InteropError(cause.code === 'forged' ? 'bad_signature' : 'bad_format', cause.message, { cause })
  }
}

/** device_id, seed, created, n → target_unix, and what it follows from: hash, u, offset_seconds */
export const rotation: Operation = ({ crypto }, input) => {
  const [key, deviceId, deviceCount] = [accountKeyOf(input), input.bytes('device_id', SEED_BYTES), input.integer('n')]
  const { hash, u, delayS } = rotationDelay(crypto, key, deviceId, deviceCount)
  const dueAtS = rotationDueAtS(crypto, key, deviceId, deviceCount)
  return { hash: encodeHex(hash), u, offset_seconds: delayS, target_unix: dueAtS }
}

/** seed, created, rotated (optional) */
export function accountKeyOf(input: Fields): AccountKeySeed {
  const seed = Secret.of(input.bytes('seed', SEED_BYTES), 'account-key-seed')
  const createdAtS = input.safeInt64('created')
  return input.isSet('rotated') ? { seed, createdAtS, rotatedAtS: input.safeInt64('rotated') } : { seed, createdAtS }
}
