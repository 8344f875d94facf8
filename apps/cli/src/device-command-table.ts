/**
 * The commands about the devices of an account: part of the command table.
 */
import { type CommandSpec, type OptionSpec, wholeNumber } from './command-spec.ts'

const ALL: OptionSpec = { flags: '--all', summary: 'show all 21 pictures, in three lines of seven' }
const YES: OptionSpec = { flags: '--yes', summary: 'do it without asking' }

const DEVICES: readonly CommandSpec[] = [
  {
    name: 'devices list',
    summary: 'list the devices of the account',
    details: 'This device first, then those linked, those that ask to be let in, and those that are gone.',
    example: 'session-v2 devices list',
    load: async () => (await import('./commands/devices.ts')).listDevices,
  },
  {
    name: 'devices log',
    summary: 'list who came and who went, as this device saw it',
    details: 'Oldest first. A device that you did not let in was let in by somebody who has another of your devices.',
    options: [{ flags: '--last <N>', summary: 'only the newest N', parse: wholeNumber(1, 2000), default: 100 }],
    example: 'session-v2 devices log --last 20',
    load: async () => (await import('./commands/devices.ts')).showLog,
  },
  {
    name: 'devices remove',
    summary: 'remove a device for good and change the account key',
    details:
      'It is told so, and opens nothing that is sealed to the new key. People who write to you may use the old one for up to 48 hours. It can come back only as a new device that you let in. On a terminal this asks first.',
    operands: [{ name: 'ID', summary: 'the device, as devices list shows it; 4 characters or more' }],
    options: [YES],
    example: 'session-v2 devices remove 1f3a9c02',
    load: async () => (await import('./commands/devices.ts')).removeDevice,
  },
  {
    name: 'devices rename',
    summary: 'say what this device is called',
    details: 'Only the devices of the account see it, and those that have its recovery password.',
    operands: [{ name: 'TEXT', summary: 'at most 64 bytes; what is longer is cut' }],
    example: "session-v2 devices rename 'laptop in the kitchen'",
    load: async () => (await import('./commands/devices.ts')).renameDevice,
  },
]

const LINK: readonly CommandSpec[] = [
  {
    name: 'link groups',
    summary: 'list the device groups of the account that are to be seen',
    details:
      'The devices of an account that share keys form a group; four pictures tell it from others. There should be one. A group that none of your devices started was started by somebody who has the recovery password.',
    example: 'session-v2 link groups',
    load: async () => (await import('./commands/link-joining.ts')).listGroups,
  },
  {
    name: 'link request',
    summary: 'ask the other devices of the account to let this one in',
    details:
      'Shows seven pictures. Compare them with those that another device shows (link requests): accept there, and confirm here (link confirm), in either order, when they are the same. The request holds for ten minutes; asking again makes new pictures. A device that is in a group leaves it when another group lets it in.',
    operands: [{ name: 'GROUP', summary: 'the group, as link groups shows it; needed when there are several', optional: true }],
    options: [{ flags: '--wait', summary: 'wait for the answer, and on a terminal ask whether the pictures are the same' }, ALL],
    example: 'session-v2 link request --wait',
    load: async () => (await import('./commands/link-joining.ts')).requestLink,
  },
  {
    name: 'link status',
    summary: 'show what this device asks, and what to do next',
    options: [ALL],
    example: 'session-v2 link status --all',
    load: async () => (await import('./commands/link-joining.ts')).showLinkStatus,
  },
  {
    name: 'link confirm',
    summary: 'say that the pictures are the same: they match',
    details:
      'Confirm only what you compared: whoever lets this device in otherwise could be a stranger with the recovery password.',
    example: 'session-v2 link confirm',
    load: async () => (await import('./commands/link-joining.ts')).confirmLink,
  },
  {
    name: 'link cancel',
    summary: 'take the request of this device back',
    example: 'session-v2 link cancel',
    load: async () => (await import('./commands/link-joining.ts')).cancelLink,
  },
  {
    name: 'link requests',
    summary: 'show which devices ask to be let in',
    details: 'With the pictures to compare. Whoever has the recovery password can ask; only you can say whether it is you.',
    options: [ALL],
    example: 'session-v2 link requests',
    load: async () => (await import('./commands/link-letting-in.ts')).listRequests,
  },
  {
    name: 'link accept',
    summary: 'let the device of a request in',
    details:
      'It gets the keys of the account, and reads what is sent to it from then on. On a terminal this shows the pictures and asks first.',
    operands: [{ name: 'ID', summary: 'the request, as link requests shows it; 4 characters or more' }],
    options: [YES],
    example: 'session-v2 link accept 9b41d7aa',
    load: async () => (await import('./commands/link-letting-in.ts')).acceptRequest,
  },
  {
    name: 'link ignore',
    summary: 'do not let the device of a request in',
    details: 'On this device only; with --delete the request is taken out of the network, so that no other device shows it.',
    operands: [{ name: 'ID', summary: 'the request, as link requests shows it; 4 characters or more' }],
    options: [{ flags: '--delete', summary: 'delete it from the network too' }],
    example: 'session-v2 link ignore 9b41d7aa --delete',
    load: async () => (await import('./commands/link-letting-in.ts')).ignoreRequest,
  },
]

const GROUP: readonly CommandSpec[] = [
  {
    name: 'group start',
    summary: 'start a new device group with this device alone',
    details:
      'For an account whose other devices are lost. It has none of their keys, and they are told that there is another group.',
    example: 'session-v2 group start',
    load: async () => (await import('./commands/group.ts')).startGroup,
  },
  {
    name: 'group leave',
    summary: 'leave the group: this device is linked no more',
    details: 'It goes on with a new ID, and the others change the account key. On a terminal this asks first.',
    options: [YES],
    example: 'session-v2 group leave',
    load: async () => (await import('./commands/group.ts')).leaveGroup,
  },
  {
    name: 'group dismiss',
    summary: 'say no more of another group of the account',
    operands: [{ name: 'ID', summary: 'the group, as link groups shows it; 4 characters or more' }],
    example: 'session-v2 group dismiss c1b8c801087265eb',
    load: async () => (await import('./commands/group.ts')).dismissGroup,
  },
  {
    name: 'device renew',
    summary: 'begin anew as another device, after a removal',
    details:
      'For a device that was removed or displaced. It gets a new ID and new keys, and can then ask to be let in. Messages stay.',
    example: 'session-v2 device renew',
    load: async () => (await import('./commands/group.ts')).renewDevice,
  },
]

const WAIT: OptionSpec = { flags: '--wait', summary: 'go on until it is over, and show how far it is' }

const HISTORY: readonly CommandSpec[] = [
  {
    name: 'history show',
    summary: 'show what is handed over between the devices of the account',
    details: 'What this device asked first, then what other devices ask of it.',
    example: 'session-v2 history show',
    load: async () => (await import('./commands/history.ts')).showHistory,
  },
  {
    name: 'history ask',
    summary: 'ask the other devices for older messages',
    details:
      'A device that is let in reads what the network still has, of about 14 days. What is older another device hands over, when its person agrees (history give). It goes on with every sync of both; what came stays when it is interrupted.',
    options: [{ flags: '--days <N>', summary: 'only what was sent in the last N days', parse: wholeNumber(1, 36_500) }, WAIT],
    example: 'session-v2 history ask --days 90 --wait',
    load: async () => (await import('./commands/history.ts')).askHistory,
  },
  {
    name: 'history give',
    summary: 'hand the history of this device over to one that asks',
    details: 'It is sealed for that device alone, and deleted from the network once it has arrived.',
    operands: [{ name: 'ID', summary: 'the request, as history show has it; 4 characters or more' }],
    options: [WAIT],
    example: 'session-v2 history give 5d0c91e2 --wait',
    load: async () => (await import('./commands/history.ts')).giveHistory,
  },
  {
    name: 'history refuse',
    summary: 'hand nothing over from this device',
    operands: [{ name: 'ID', summary: 'the request, as history show has it; 4 characters or more' }],
    example: 'session-v2 history refuse 5d0c91e2',
    load: async () => (await import('./commands/history.ts')).refuseHistory,
  },
  {
    name: 'history cancel',
    summary: 'take the request of this device back',
    example: 'session-v2 history cancel',
    load: async () => (await import('./commands/history.ts')).cancelHistory,
  },
]

export const DEVICE_GROUPS: Readonly<Record<string, string>> = {
  devices: 'the devices of the account',
  link: 'linking a device with the others of its account',
  group: 'the device group that this device is in',
  device: 'this device itself',
  history: 'older messages, from one device to another',
}

export const DEVICE_COMMANDS: readonly CommandSpec[] = [...DEVICES, ...LINK, ...GROUP, ...HISTORY]
