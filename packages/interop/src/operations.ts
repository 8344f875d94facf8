/** All operations by name. The kinds of test vectors are names too, where they have the shape of an operation. */
import type { Operation } from './operation.ts'
import { account } from './operations/account.ts'
import { buildRecord, expand, rotation, verifyRecord } from './operations/account-keys.ts'
import { hashOfMessage, swarmOfAccount } from './operations/delivery.ts'
import { groupKind, kickedCheck, openGroup, recordDigest, sealGroup } from './operations/device-group.ts'
import { groupIdCrypt, groupSas, linkSas } from './operations/device-link.ts'
import { buildLink, openLink } from './operations/link-request.ts'
import { merge } from './operations/merge.ts'
import { sealV1Kind } from './operations/message-v1.ts'
import { open, seal, sealNoPfsKind, sealPfsKind } from './operations/message-v2.ts'
import { peelOnionRequest, sealOnionRequest } from './operations/onion-request.ts'
import { mnemonicDecode, mnemonicEncode } from './operations/recovery-password.ts'

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['account', account],
  ['expand', expand],
  ['mnemonic_encode', mnemonicEncode],
  ['mnemonic_decode', mnemonicDecode],
  ['dm_seal', seal],
  ['dm_open', open],
  ['dm_v2_pfs', sealPfsKind],
  ['dm_v2_nopfs', sealNoPfsKind],
  ['dm_v2_reject', open],
  ['dm_v1', sealV1Kind],
  ['account_pubkey_build', buildRecord],
  ['account_pubkey_verify', verifyRecord],
  ['account_pubkey', buildRecord],
  ['account_pubkey_reject', verifyRecord],
  ['account_pubkey_extra_key_after_sig', verifyRecord],
  ['link_sas', linkSas],
  ['group_sas', groupSas],
  ['group_id_crypt', groupIdCrypt],
  ['rotation', rotation],
  ['group_seal', sealGroup],
  ['group_open', openGroup],
  ['kicked_check', kickedCheck],
  ['record_digest', recordDigest],
  ['device_group', groupKind],
  ['device_group_reject', openGroup],
  ['link_build', buildLink],
  ['link_open', openLink],
  ['link_request', buildLink],
  ['merge', merge],
  ['swarm_of', swarmOfAccount],
  ['message_hash', hashOfMessage],
  ['onion_seal', sealOnionRequest],
  ['onion_peel', peelOnionRequest],
])
