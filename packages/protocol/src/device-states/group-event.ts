/** What a change of the group's state means to a person or an app. */
import type { DeviceId } from '../device-group/device-id.ts'

/** What a device is to the device groups of its account (DS-16). */
export type Membership = 'Unknown' | 'InGroup' | 'NoGroup' | 'GroupsVisible' | 'Waiting' | 'Removed' | 'CutOff' | 'Displaced'

export type GroupEvent =
  /** A link request that was open is no longer; `hash` names it. */
  | { readonly type: 'link-request-ended'; readonly hash: string; readonly how: 'accepted' | 'superseded' | 'expired' }
  | { readonly type: 'link-request-added'; readonly hash: string }
  /** `restated`: another device still believed in a device that is gone, and is told again. */
  | {
      readonly type: 'device-changed'
      readonly deviceId: DeviceId
      readonly change: 'joined' | 'updated' | 'left' | 'removed' | 'restated'
    }
  /** All devices are others: a group was founded, joined or left. */
  | { readonly type: 'devices-replaced' }
  /** The current account key is another one: it has to be passed on, then published. */
  | { readonly type: 'account-key-changed' }
  /** This device was let in, but nobody has confirmed its request yet. */
  | { readonly type: 'admission-held' }
  | { readonly type: 'membership-changed'; readonly membership: Membership }
  /** Another device group of this account exists; `groupId` has 8 bytes. */
  | { readonly type: 'group-appeared'; readonly groupId: Uint8Array }
