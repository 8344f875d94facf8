/** Chunks as they are kept and sent, sealed to the keys that the group has now (HT-05, HT-18). */
import type { Random } from '@session-v2/crypto'
import { decodeBase64, encodeBase64, encodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  expandDeviceKeys,
  HISTORY_PAGE_MAX_BYTES,
  ProtocolError,
  sealHistoryChunk,
  wipeExpandedKeyPair,
} from '@session-v2/protocol'
import type { DeviceGroup } from '../devices/device-group.ts'
import type { PackedPage } from './history-pages.ts'
import { announcedKey, memberRecord } from './history-peers.ts'
import type { ChunkRecord, HistoryRequestRecord } from './history-records.ts'
import { type HistorySwarmParts, outgoing } from './history-swarm.ts'

export interface ChunkSealerParts extends HistorySwarmParts {
  readonly random: Random
  readonly group: DeviceGroup
}

type Unsealed = Pick<ChunkRecord, 'requestId' | 'index' | 'isLast' | 'half' | 'messages' | 'page'>

/**
 * The next chunk of a hand-over, or the next two when the page is too long for one.
 * @throws ProtocolError `malformed` when the other device has keys that nothing can be sealed to
 */
export function sealChunks(
  parts: ChunkSealerParts,
  record: HistoryRequestRecord,
  { page, messages, isLast }: Omit<PackedPage, 'after'>,
): ChunkRecord[] {
  const { requestId, nextIndex: index } = record
  if (page.length <= HISTORY_PAGE_MAX_BYTES)
    return [sealed(parts, record, { requestId, index, isLast, messages, page: encodeBase64(page) })]
  const [first, second] = [page.subarray(0, HISTORY_PAGE_MAX_BYTES), page.subarray(HISTORY_PAGE_MAX_BYTES)].map(part =>
    encodeBase64(part),
  )
  return [
    sealed(parts, record, { requestId, index, isLast: false, half: 'first', messages: 0, page: first! }),
    sealed(parts, record, { requestId, index: index + 1, isLast, half: 'second', messages, page: second! }),
  ]
}

/** A chunk sealed anew, to be stored again. @throws ProtocolError as `sealChunks` */
export function resealed(parts: ChunkSealerParts, record: HistoryRequestRecord, chunk: ChunkRecord): ChunkRecord {
  return sealed(parts, record, chunk)
}

function sealed(parts: ChunkSealerParts, { deviceId, total }: HistoryRequestRecord, unsealed: Unsealed): ChunkRecord {
  const { crypto, random, account, group } = parts
  const recipient = memberRecord(group.state, deviceId)
  if (recipient === undefined)
    throw new ProtocolError('unknown-device', 'HT-05', 'the device that asked is no member of the group')
  const author = announcedKey(group.state)
  const pair = expandDeviceKeys(crypto, { current: author, previous: [] })[0]!
  try {
    const { requestId, index, isLast, half } = unsealed
    const message = sealHistoryChunk(crypto, random, account, recipient, pair.x25519, {
      ...{ requestId, sender: group.state.self, index, isLast, total, page: decodeBase64(unsealed.page) },
      ...(half === undefined ? {} : { half }),
    })
    return {
      ...unsealed,
      ...outgoing(parts, NAMESPACE.historyChunks, message),
      sealedTo: encodeHex(recipient.x25519),
      sealedBy: encodeHex(author.x25519),
    }
  } finally {
    wipeExpandedKeyPair(pair)
  }
}
