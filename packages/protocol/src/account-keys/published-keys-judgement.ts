/**
 * What to make of published keys when others of the same account are remembered. Nodes may serve what is old, and whoever has the
 * recovery password may publish what is theirs; a pure function of both tells which it is, as far as can be told.
 *
 *     keys                                      verdict
 *     those accepted last                       same
 *     superseded before                         stale
 *     others, t smaller than the one known      stale    t is absent, in either: not compared
 *     others                                    newer
 *
 *     continuity key remembered    published                                     continuity
 *     none                         anything                                      not-offered
 *     one                          the same keys, without continuity             not-offered
 *     one                          the same keys, with this continuity key       proven
 *     one                          the same keys, with another                   unproven    not made by the owner of the keys
 *     one                          other keys, with a link by it                 proven
 *     one                          other keys, without                           unproven    also when nothing is offered at all:
 *                                                                                            a thief would leave it out
 *
 * Implements AK-17, AK-18.
 */
import { blake2b, type Crypto, type Ed25519PublicKey } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { requireTime } from './account-key.ts'
import type { PublishedKeys } from './account-key-record.ts'
import { isLinkedTo } from './continuity.ts'

/** How many superseded keys are remembered: those of 30 days, for which a node may keep a record, and some more. */
export const SUPERSEDED_KEPT = 80
const FINGERPRINT_BYTES = 32

/** What is remembered of the keys of an account. Public. */
export interface RememberedKeys {
  /** The keys that were accepted last. */
  readonly mlKem768: PublishedKeys['mlKem768']
  readonly x25519: PublishedKeys['x25519']
  /** The greatest creation minute that was accepted. */
  readonly createdMinutes?: number
  /** The continuity key by which a later record proves itself. */
  readonly continuityKey?: Ed25519PublicKey
  /** Fingerprints of 32 bytes of keys accepted before, the newest last. */
  readonly superseded: readonly Uint8Array[]
}

/** - `stale`: not to be used, and nothing to be changed by. - `unproven`: a person should know before it is relied on. */
export interface Judgement {
  readonly verdict: 'same' | 'newer' | 'stale'
  readonly continuity: 'proven' | 'unproven' | 'not-offered'
}

/** Judges published keys of an account, verified already, by what is remembered; `undefined` when they are the first ever seen. */
export function judgePublishedKeys(
  crypto: Crypto,
  account: AccountId,
  remembered: RememberedKeys | undefined,
  next: PublishedKeys,
): Judgement {
  if (remembered === undefined) return { verdict: 'newer', continuity: 'not-offered' }
  const isSame = isSameKeys(remembered, next)
  const { continuityKey } = remembered
  return {
    verdict: isSame ? 'same' : verdictOnOthers(crypto, remembered, next),
    continuity: continuityKey === undefined ? 'not-offered' : continuityOf(crypto, account, continuityKey, isSame, next),
  }
}

/**
 * What to remember once keys are accepted, which must not be stale.
 *
 * The same keys change nothing: a record of them with another minute or continuity key may be a thief's, who prepares the next one.
 * Of newer ones the minute counts up to now only, so that none from the future holds up all that follow. Their continuity key
 * replaces the one remembered, except when they are unproven: then the old one stays, so that the owner can prove the keys after
 * them, unless `confirmed` says that a person made sure of them. What they do not state stays as it was. Throws `bad-input` for stale
 * keys and a time that is none.
 */
export function rememberPublishedKeys(
  crypto: Crypto,
  account: AccountId,
  remembered: RememberedKeys | undefined,
  next: PublishedKeys,
  { nowS, confirmed }: { readonly nowS: number; readonly confirmed: boolean },
): RememberedKeys {
  requireTime(nowS, 'AK-18')
  const { verdict, continuity } = judgePublishedKeys(crypto, account, remembered, next)
  if (verdict === 'stale') throw new ProtocolError('bad-input', 'AK-17', 'keys that are stale are not to be remembered')
  if (verdict === 'same' && remembered !== undefined && !confirmed) return remembered
  const isTrusted = confirmed || continuity !== 'unproven'
  const continuityKey = (isTrusted ? next.continuity?.publicKey : undefined) ?? remembered?.continuityKey
  const createdMinutes = laterMinute(remembered?.createdMinutes, next.createdMinutes, nowS)
  const replaced = remembered === undefined || verdict === 'same' ? [] : [publishedKeysFingerprint(crypto, remembered)]
  return {
    mlKem768: next.mlKem768,
    x25519: next.x25519,
    ...(createdMinutes === undefined ? {} : { createdMinutes }),
    ...(continuityKey === undefined ? {} : { continuityKey }),
    superseded: [...(remembered?.superseded ?? []), ...replaced].slice(-SUPERSEDED_KEPT),
  }
}

function laterMinute(known: number | undefined, stated: number | undefined, nowS: number): number | undefined {
  if (stated === undefined) return known
  return Math.max(known ?? 0, Math.min(stated, Math.floor(nowS / 60)))
}

/** The 32 bytes by which superseded keys are remembered: BLAKE2b-32(M ‖ X). */
export function publishedKeysFingerprint(crypto: Crypto, keys: Pick<PublishedKeys, 'mlKem768' | 'x25519'>): Uint8Array {
  return blake2b(crypto, FINGERPRINT_BYTES, [keys.mlKem768, keys.x25519])
}

function verdictOnOthers(crypto: Crypto, remembered: RememberedKeys, next: PublishedKeys): 'newer' | 'stale' {
  const fingerprint = publishedKeysFingerprint(crypto, next)
  if (remembered.superseded.some(known => equalBytes(known, fingerprint))) return 'stale'
  const isOlder =
    remembered.createdMinutes !== undefined &&
    next.createdMinutes !== undefined &&
    next.createdMinutes < remembered.createdMinutes
  return isOlder ? 'stale' : 'newer'
}

function continuityOf(
  crypto: Crypto,
  account: AccountId,
  known: Ed25519PublicKey,
  isSame: boolean,
  { continuity, createdMinutes, mlKem768, x25519 }: PublishedKeys,
): Judgement['continuity'] {
  if (isSame) {
    if (continuity === undefined) return 'not-offered'
    return equalBytes(continuity.publicKey, known) ? 'proven' : 'unproven'
  }
  if (continuity === undefined || createdMinutes === undefined) return 'unproven'
  const { publicKey, links } = continuity
  return isLinkedTo(crypto, account, known, links, { publicKey, mlKem768, x25519, createdMinutes }) ? 'proven' : 'unproven'
}

function isSameKeys(a: Pick<PublishedKeys, 'mlKem768' | 'x25519'>, b: Pick<PublishedKeys, 'mlKem768' | 'x25519'>): boolean {
  return equalBytes(a.mlKem768, b.mlKem768) && equalBytes(a.x25519, b.x25519)
}
