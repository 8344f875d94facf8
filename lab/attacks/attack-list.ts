/** All attacks, in the order of their names. */
import type { Attack } from '../adversary/attack.ts'
import { a01HarvestNow } from './a01-harvest-now.ts'
import { a02PasswordLater } from './a02-password-later.ts'
import { a03DeviceStolen } from './a03-device-stolen.ts'
import { a04SilentLink } from './a04-silent-link.ts'
import { a05ImpostorGroup } from './a05-impostor-group.ts'
import { a06PublishedKeys } from './a06-published-keys.ts'
import { a07RemovedDevice } from './a07-removed-device.ts'
import { a08LinkRequests } from './a08-link-requests.ts'
import { a09ReWrapping } from './a09-re-wrapping.ts'
import { a10ReAdding } from './a10-re-adding.ts'
import { a11SplitView } from './a11-split-view.ts'
import { a12Version1 } from './a12-version-1.ts'

export const ATTACKS: readonly Attack[] = [
  a01HarvestNow,
  a02PasswordLater,
  a03DeviceStolen,
  a04SilentLink,
  a05ImpostorGroup,
  a06PublishedKeys,
  a07RemovedDevice,
  a08LinkRequests,
  a09ReWrapping,
  a10ReAdding,
  a11SplitView,
  a12Version1,
]
