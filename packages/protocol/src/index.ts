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
export {
  type AccountKey,
  type AccountKeySeed,
  accountKeyFromSeed,
  expandAccountKey,
  wipeAccountKey,
} from './account-keys/account-key.ts'
export {
  buildAccountKeyRecord,
  type PublishedKeys,
  type RecordExtras,
  verifyAccountKeyRecord,
} from './account-keys/account-key-record.ts'
export {
  ACCOUNT_KEY_RETENTION_S,
  currentAccountKey,
  mergeAccountKeys,
  pruneAccountKeys,
  rotateAccountKeys,
  settleAccountKeys,
} from './account-keys/account-key-set.ts'
export { type Continuity, continuityPublicKey } from './account-keys/continuity.ts'
export { type ExpandedKeyPair, expandKeyPair, type KeyDomain, wipeExpandedKeyPair } from './account-keys/key-expansion.ts'
export {
  currentKey,
  emptyKeyring,
  type Keyring,
  keyringOf,
  keyringOfSeeds,
  keysByIndicator,
  pruneKeyring,
  rotateKeyring,
} from './account-keys/keyring.ts'
export {
  type Judgement,
  judgePublishedKeys,
  publishedKeysFingerprint,
  type RememberedKeys,
  rememberPublishedKeys,
} from './account-keys/published-keys-judgement.ts'
export { ROTATION_LATEST_S, type RotationDelay, rotationDelay, rotationDueAtS } from './account-keys/rotation.ts'
export { type Compression, compressConfig, decompressConfig } from './config/compression.ts'
export { CONFIG_TYPES, type ConfigType, type ConfigTypeFacts } from './config/config-type.ts'
export { type Contact, contactOf, contactsOf, withContact, withoutContact } from './config/contacts.ts'
export { type ConfigChange, type ConfigDiff, diffOf } from './config/diff.ts'
export { type DumpedConfig, dumpConfig, loadConfigDump } from './config/dump.ts'
export { type ConfigPath, valueAt, withElement, withoutElement, withValue } from './config/edit.ts'
export { configPaddedBytes, decryptConfig, encryptConfig, padConfig } from './config/encryption.ts'
export { CONFIG_NAME_MAX_BYTES, type ConfigPicture } from './config/field.ts'
export { loadZstd } from './config/load-zstd.ts'
export { type ConfigMerge, mergeConfigMessages } from './config/merge.ts'
export {
  CONFIG_LAG,
  CONFIG_PLAINTEXT_MAX_BYTES,
  type ConfigMessage,
  type ConfigRow,
  type ConfigSigning,
  type EditedMessage,
  emptyConfigMessage,
  encodeConfigMessage,
  type FixedMessage,
  nextMessage,
  parseConfigMessage,
} from './config/message.ts'
export { CONFIG_MESSAGE_MAX_BYTES, type ConfigPartSet, type ConfigPartSets } from './config/part-sets.ts'
export {
  type ReadConversation,
  type ReadState,
  readStateOf,
  withoutReadState,
  withoutStaleReadStates,
  withReadState,
} from './config/read-state.ts'
export {
  addToConfigSet,
  type ConfigPhase,
  type ConfigState,
  configValue,
  confirmConfigPush,
  editConfig,
  isConfigPushDue,
  type MergedConfig,
  mergeConfig,
  newConfigState,
  type PushedConfig,
  pushConfig,
  type ReceivedConfig,
  removeFromConfigSet,
  setConfigValue,
} from './config/state.ts'
export {
  accountConfigChannel,
  CONFIG_SENT_MAX_BYTES,
  type ConfigChannel,
  receiveConfig,
  type SealedPush,
  type StoredConfigMessage,
  sealConfig,
  sealConfigPush,
} from './config/transport.ts'
export {
  communityOf,
  type GroupSettings,
  type UserGroup,
  userGroupOf,
  withCommunity,
  withoutCommunity,
  withoutUserGroup,
  withUserGroup,
} from './config/user-groups.ts'
export {
  type UserProfile,
  userProfileOf,
  withBlindedRequests,
  withNoteToSelfPriority,
  withNoteToSelfTimer,
  withProfileName,
  withProfilePicture,
  withReuploadedPicture,
} from './config/user-profile.ts'
export { type ConfigDict, type ConfigScalar, type ConfigSet, type ConfigValue, configSet } from './config/value.ts'
export { unwrapConfig, wrapConfig } from './config/wrapping.ts'
export { type Content, decodeContent, encodeContent } from './content/content.ts'
export {
  type ContentOrigin,
  type ConversationContent,
  readConversationContent,
  type Statement,
} from './content/conversation-content.ts'
export {
  type Attachment,
  type ConversationMessage,
  type LinkPreview,
  messageContent,
  type OutgoingMessage,
} from './content/conversation-message.ts'
export { type DataExtraction, dataExtractionContent } from './content/data-extraction.ts'
export { type DataMessage, ExpirationType } from './content/data-message.ts'
export {
  AFTER_READ_DEFAULT_S,
  AFTER_READ_TIMERS_S,
  AFTER_SEND_DEFAULT_S,
  AFTER_SEND_TIMERS_S,
  type DisappearingMessage,
  disappearingStartsAtMs,
  disappearsAtMs,
  type Expiry,
  type ExpiryMode,
  type FollowedSetting,
  messageTtlMs,
  readAtMsBySwarm,
  sameExpiry,
  settingToFollow,
  timerChangeContent,
} from './content/disappearing.ts'
export { messageIdentity, referenceIdentity } from './content/message-identity.ts'
export { type MessageReference, msgIdOf, resolveReference } from './content/message-reference.ts'
export { codePointsIn, TEXT_MAX_CODE_POINTS, TEXT_READ_MAX_CODE_POINTS } from './content/message-text.ts'
export {
  isReactionEmoji,
  mayReact,
  REACTION_EMOJI_MAX_BYTES,
  REACTIONS_PER_MINUTE,
  type Reaction,
  type ReactionMoment,
  reactionContent,
  reactionSupersedes,
} from './content/reaction.ts'
export {
  RECEIPT_MAX_MESSAGES,
  RECEIPT_READ_MAX_MESSAGES,
  readReceiptContent,
  TYPING_TTL_MS,
  typingContent,
} from './content/receipt.ts'
export { requestResponseContent } from './content/request-response.ts'
export {
  DISPLAY_NAME_MAX_BYTES,
  PROFILE_PICTURE_URL_MAX_BYTES,
  type ProfilePicture,
  profileSupersedes,
  type SenderProfile,
} from './content/sender-profile.ts'
export { ownCopyOf, type Sending } from './content/sending.ts'
export { type TextContent, textContent } from './content/text-content.ts'
export { type UnsendScope, unsendContent } from './content/unsend.ts'
export { removalEntry } from './device-group/announced-removals.ts'
export { type DeviceId, deviceIdBytes, deviceIdOf, parseDeviceId } from './device-group/device-id.ts'
export {
  type DeviceRecord,
  type DeviceRecordFields,
  decodeDeviceRecord,
  deviceRecordDigest,
  deviceRecordText,
  encodeDeviceRecord,
  writeDeviceRecord,
} from './device-group/device-record.ts'
export { cryptGroupId, groupCreatedMinutes } from './device-group/group-id.ts'
export {
  decodeGroupPayload,
  encodeGroupPayload,
  type GroupEntry,
  type GroupPayload,
  paddedGroupPayloadBytes,
  wipeGroupPayload,
} from './device-group/group-payload.ts'
export { type GroupFacts, type OpenGroupOutcome, openGroupMessage } from './device-group/open.ts'
export { type OutgoingGroup, sealGroupMessage } from './device-group/seal.ts'
export {
  confirmDeviceKeys,
  DEVICE_KEY_GRACE_S,
  DEVICE_KEY_LIFETIME_S,
  type DeviceKey,
  type DeviceKeySeed,
  type DeviceKeys,
  deviceKeyOf,
  deviceKeyRotationDue,
  eraseDeviceKeys,
  expandDeviceKeys,
  newDeviceKeys,
  renewDeviceKeys,
  rotateDeviceKeys,
} from './device-keys/device-keys.ts'
export { EMOJI, emojiLines } from './device-link/emoji.ts'
export { type LinkRequestKey, linkRequestKey } from './device-link/key-derivation.ts'
export { type LinkRequest, type OpenLinkOutcome, openLinkRequest, sealLinkRequest } from './device-link/link-request.ts'
export { type MessageKindAt21, messageKindAt21 } from './device-link/message-kind.ts'
export {
  groupAuthenticationString,
  linkAuthenticationString,
  type ShortAuthenticationString,
} from './device-link/short-authentication-string.ts'
export { accountKeyRotationDueAtMs, rotateAccountKey } from './device-states/account-key-rotation.ts'
export { completeFetch } from './device-states/complete-fetch.ts'
export {
  type DeviceRow,
  type MergedRow,
  mergeEntry,
  ROW_STATE,
  type RowChange,
  type RowState,
} from './device-states/device-row.ts'
export { foundGroup, type NewGroup, newGroupState } from './device-states/founding.ts'
export type { GroupEvent, Membership } from './device-states/group-event.ts'
export type {
  Farewell,
  GroupAccountKey,
  GroupChange,
  GroupInView,
  GroupState,
  HeldAdmission,
  OwnDetails,
  OwnRequest,
  ReceivedRequest,
} from './device-states/group-state.ts'
export { secretsOf } from './device-states/group-state.ts'
export { dismissGroup, GROUP_TTL_MS } from './device-states/groups-in-view.ts'
export { leaveGroup, type NewIdentity, renewIdentity } from './device-states/leaving.ts'
export { membershipOf } from './device-states/membership.ts'
export { DISPLACEMENT_GRACE_MS, mergeGroupMessage, type ReceivedGroupMessage } from './device-states/merge.ts'
export { changeDetails, isDeviceKeyRotationDue, rotateDeviceKey } from './device-states/own-record.ts'
export {
  askForLink,
  confirmLink,
  draftLinkRequest,
  type LinkRequestDraft,
  linkRequestStored,
  newestRequest,
  resume,
  withdrawLinkRequest,
} from './device-states/own-request.ts'
export { confirmPush, duePush, type GroupPush, isPushDue, nameGroup, newGroupId, sealPush } from './device-states/push.ts'
export {
  acceptedRow,
  acceptLinkRequest,
  ignoreLinkRequest,
  isAsking,
  pendingRow,
  type ReceivedLinkRequest,
  receiveLinkRequest,
} from './device-states/received-request.ts'
export { removeDevice, removedRow } from './device-states/removing.ts'
export { decodeGroupState, encodeGroupState } from './device-states/state-codec.ts'
export { LINK_TTL_MS } from './device-states/swarm-times.ts'
export {
  type HistoryChunk,
  type OpenHistoryChunkOutcome,
  openHistoryChunk,
  sealHistoryChunk,
} from './history-transfer/chunk.ts'
export {
  HISTORY_MAX_CHUNKS,
  HISTORY_WINDOW,
  type HistoryAck,
  type HistoryAsk,
  isProvenAck,
  type OpenHistoryControlOutcome,
  openHistoryControl,
  type ReceivedHistoryAck,
  sealHistoryAck,
  sealHistoryAsk,
} from './history-transfer/control.ts'
export { HISTORY_MESSAGE_MAX_BYTES, type HistoryMessageKind } from './history-transfer/envelope.ts'
export {
  decodeHistoryPage,
  encodeHandedMessage,
  encodeHistoryPage,
  type HandedMessage,
  type HandedProtocol,
  HISTORY_PAGE_MAX_BYTES,
  HISTORY_SPLIT_PAGE_MAX_BYTES,
  type HistoryPage,
} from './history-transfer/page.ts'
export { type HistoryRequestId, historyRequestIdOf, parseHistoryRequestId } from './history-transfer/request-id.ts'
export type { HistoryKeyPair, HistoryRecipient } from './history-transfer/sealing.ts'
export { messageVersion, type OpenMessageOutcome, openMessage } from './message.ts'
export { agreesWithEnvelope, decodeMessageV1, type OpenV1Outcome, type OutsideV1, openMessageV1 } from './message-v1/open.ts'
export { sealMessageV1 } from './message-v1/seal.ts'
export { type OpenOutcome, openMessageV2 } from './message-v2/open.ts'
export { prepareRecipient, type Recipient } from './message-v2/recipient.ts'
export { sealMessageV2, sealMessageV2NoPfs } from './message-v2/seal.ts'
export { type ClauseId, ProtocolError, type ProtocolErrorCode } from './protocol-error.ts'
export {
  decodeRecoveryPassword,
  encodeRecoveryPassword,
  recoveryPasswordOf,
  seedFromRecoveryPassword,
  UnknownWordError,
} from './recovery-password/recovery-password.ts'
export { completeWord } from './recovery-password/word-list.ts'
