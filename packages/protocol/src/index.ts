/** The content plane: what is said. Pure functions of their arguments, from accounts up to messages. */
export {
  type Account,
  accountFromSeed,
  accountIdFromEd25519,
  generateSeed,
  type SeedWords,
  wipeAccount,
} from './account/account.ts'
export { type AccountId, accountIdBytes, accountIdOf, accountX25519, parseAccountId } from './account/account-id.ts'
export { type AccountKey, accountKeyFromSeed, wipeAccountKey } from './account-keys/account-key.ts'
export { buildAccountKeyRecord, type PublishedKeys, verifyAccountKeyRecord } from './account-keys/account-key-record.ts'
export { type ExpandedKeyPair, expandKeyPair, type KeyDomain } from './account-keys/key-expansion.ts'
export {
  ACCOUNT_KEY_RETENTION_S,
  currentKey,
  emptyKeyring,
  type Keyring,
  keyringOf,
  keysByIndicator,
  pruneKeyring,
  rotateKeyring,
} from './account-keys/keyring.ts'
export { rotationDueAtS } from './account-keys/rotation.ts'
export { type Content, decodeContent, encodeContent } from './content/content.ts'
export { type DataMessage, ExpirationType } from './content/data-message.ts'
export { messageIdentity } from './content/message-identity.ts'
export { type TextContent, textContent } from './content/text-content.ts'
export { cryptGroupId, groupCreatedMinutes } from './device-group/group-id.ts'
export { EMOJI } from './device-link/emoji.ts'
export {
  groupAuthenticationString,
  linkAuthenticationString,
  type ShortAuthenticationString,
} from './device-link/short-authentication-string.ts'
export { type OpenMessageOutcome, openMessage } from './message.ts'
export { type OpenOutcome, openMessageV2 } from './message-v2/open.ts'
export { prepareRecipient, type Recipient } from './message-v2/recipient.ts'
export { sealMessageV2, sealMessageV2NoPfs } from './message-v2/seal.ts'
export { ProtocolError, type ProtocolErrorCode } from './protocol-error.ts'
export {
  decodeRecoveryPassword,
  encodeRecoveryPassword,
  recoveryPasswordOf,
  seedFromRecoveryPassword,
  UnknownWordError,
} from './recovery-password/recovery-password.ts'
export { completeWord } from './recovery-password/word-list.ts'
