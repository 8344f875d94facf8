/**
 * What a person should know whatever they came for, each as a block of a title, sentences and what to type next. They are told by every
 * command that syncs, until they no longer hold; nothing here can be switched off, and nothing shouts.
 *
 * | topic | when |
 * |---|---|
 * | trouble | this device was removed, displaced or cut off |
 * | outside | it is in no group: nobody can write to it with forward secrecy; or it was just let into one |
 * | fork | there is another group of this account |
 * | requests | a device asks to be let in |
 * | changes | devices came or went, by others' hands |
 * | alarm | somebody else published keys for this account |
 */
import type { DeviceLogEntry, DevicesView, GroupView, LinkRequestView } from '@session-v2/client'
import type { GlobalOptions } from '../context.ts'
import { localTime, type Paint, wrap } from '../output.ts'
import { typed } from '../shell-word.ts'
import { shortened } from './chosen.ts'
import { requestId } from './device-records.ts'
import { deviceKind, deviceName, logSentence, minuteOf } from './device-text.ts'
import { emojiInline } from './emoji-lines.ts'
import { askableGroups, askingCommand } from './groups.ts'

export type Topic = 'trouble' | 'outside' | 'fork' | 'requests' | 'changes' | 'alarm'

export interface Notice {
  readonly topic: Topic
  readonly title: string
  readonly text: readonly string[]
  /** What to type next: what it does, and the command. */
  readonly steps: readonly (readonly [string, string])[]
}

/** What a sync brought to light besides the state. */
export interface SyncNews {
  /** What this device did not do itself, oldest first. */
  readonly changes: readonly DeviceLogEntry[]
  /** Keys that nobody in the group made were published. */
  readonly alarm: boolean
  /** This device was let into a group. */
  readonly joined: boolean
}

/** Everything to be told, the gravest first. */
export function noticesOf(view: DevicesView, news: SyncNews, options: GlobalOptions): Notice[] {
  return [
    ...troubleNotices(view, options),
    ...(news.alarm ? [alarmNotice(view, options)] : []),
    ...forkNotices(view, options),
    ...changeNotices(news, options),
    ...requestNotices(view.requests, options),
    ...(news.joined ? joinedNotices(view, options) : []),
    ...outsideNotices(view, options),
  ]
}

function troubleNotices(view: DevicesView, options: GlobalOptions): Notice[] {
  const anew: Notice['steps'] = [
    ['begin anew as another device', typed(options, 'device', 'renew')],
    ['then ask to be let in', typed(options, 'link', 'request', '--wait')],
  ]
  switch (view.membership) {
    case 'Removed':
      return [
        {
          topic: 'trouble',
          title: 'This device was removed from the devices of the account',
          text: [
            'It learns no new keys. People may use the old one for up to 48 hours; what is sealed to a newer one does not open here. What it holds stays readable.',
          ],
          steps: anew,
        },
      ]
    case 'Displaced':
      return [
        {
          topic: 'trouble',
          title: 'Another device has taken the place of this one',
          text: [
            'The group goes on with newer keys for this device than it holds: this home is an old copy, or a copy of it is used elsewhere. It learns no new keys. If you made no copy, remove the other one with another of your devices: devices remove.',
          ],
          steps: anew,
        },
      ]
    case 'CutOff':
      return [cutOffNotice(view, options)]
    default:
      return []
  }
}

function cutOffNotice({ groups }: DevicesView, options: GlobalOptions): Notice {
  const others = groups.filter(({ isOurs }) => !isOurs)
  return {
    topic: 'trouble',
    title: 'The group of this device is gone from the network, and another one is there',
    text: [
      'Somebody with the recovery password took it away: you, on another device, or a stranger. Seen instead:',
      ...others.map(({ emoji, createdAtMs }) => `  ${emojiInline(emoji)}, created ${minuteOf(createdAtMs)}`),
    ],
    steps: [
      ...others.map(({ id }): [string, string] => [
        'if it is yours, ask it to let this device in',
        typed(options, 'link', 'request', id, '--wait'),
      ]),
      ['if not, put your own group back by telling it something new', typed(options, 'devices', 'rename', 'TEXT')],
    ],
  }
}

function forkNotices({ membership, groups }: DevicesView, options: GlobalOptions): Notice[] {
  if (membership !== 'InGroup') return []
  return groups.filter(({ isOurs, isDismissed }) => !isOurs && !isDismissed).map(group => forkNotice(group, options))
}

function forkNotice({ id, emoji, createdAtMs }: GroupView, options: GlobalOptions): Notice {
  return {
    topic: 'fork',
    title: 'There is another device group of this account',
    text: [
      `${emojiInline(emoji)}, created ${minuteOf(createdAtMs)}`,
      'Its devices do not share keys with yours, so each group may get messages that the other cannot read. If none of your devices started it, somebody has your recovery password.',
    ],
    steps: [
      ['move its devices here: on each of them', 'session-v2 link request'],
      ['or move this device there', typed(options, 'link', 'request', id, '--wait')],
      ['it is known and stays: say no more of it', typed(options, 'group', 'dismiss', id)],
    ],
  }
}

function requestNotices(requests: readonly LinkRequestView[], options: GlobalOptions): Notice[] {
  if (requests.length === 0) return []
  const [only, another] = requests
  return [
    {
      topic: 'requests',
      title: another === undefined ? 'A device asks to be let in' : `${requests.length} devices ask to be let in`,
      text: requests.map(
        ({ device, expiresAtMs }) => `${deviceName(device)}, ${deviceKind(device)}, until ${localTime(expiresAtMs)}`,
      ),
      steps: [
        ['compare the pictures', typed(options, 'link', 'requests')],
        [
          'if the other device shows the same',
          typed(options, 'link', 'accept', another === undefined ? shortened(requestId(only!)) : 'ID'),
        ],
        ['if you did not start it', typed(options, 'link', 'ignore', another === undefined ? shortened(requestId(only!)) : 'ID')],
      ],
    },
  ]
}

function changeNotices({ changes }: SyncNews, options: GlobalOptions): Notice[] {
  if (changes.length === 0) return []
  const isJoin = changes.some(({ kind }) => kind === 'joined' || kind === 'replaced')
  return [
    {
      topic: 'changes',
      title: 'Your devices have changed',
      text: changes.map(entry => `${localTime(entry.seenAtMs)}  ${logSentence(entry)}`),
      steps: [
        ['all devices', typed(options, 'devices', 'list')],
        ...(isJoin ? ([['if you did not let it in', typed(options, 'devices', 'remove', 'ID')]] as const) : []),
      ],
    },
  ]
}

function alarmNotice(view: DevicesView, options: GlobalOptions): Notice {
  const hasFork = askableGroups(view).length > 0
  return {
    topic: 'alarm',
    title: 'Somebody else published keys for this account',
    text: [
      hasFork
        ? 'No device of this group made them: either the other group did, or somebody who has the recovery password.'
        : 'None of your devices made them, so somebody has the recovery password. It cannot be changed: the cure is a new account.',
      'This device puts its own keys back. What was sent to you in the meantime may be unreadable here.',
    ],
    steps: [['look for devices that are not yours', typed(options, 'devices', 'list')]],
  }
}

function joinedNotices({ membership, group }: DevicesView, options: GlobalOptions): Notice[] {
  if (membership !== 'InGroup' || group === undefined) return []
  return [
    {
      topic: 'outside',
      title: 'This device is linked now',
      text: [`It is in the group ${emojiInline(group.emoji)}`],
      steps: [['its devices', typed(options, 'devices', 'list')]],
    },
  ]
}

function outsideNotices(view: DevicesView, options: GlobalOptions): Notice[] {
  const { membership, ownRequest } = view
  const start = typed(options, 'group', 'start')
  switch (membership) {
    case 'GroupsVisible':
      return [
        {
          topic: 'outside',
          title: 'This device is not linked with the other devices of the account',
          text: ['Messages to the account cannot be opened here until one of them lets it in.'],
          steps: [
            ['ask to be let in', askingCommand(options, view)],
            ['or start a new group', start],
          ],
        },
      ]
    case 'NoGroup':
      return [
        {
          topic: 'outside',
          title: 'No device of the account is to be seen',
          text: ['Messages with forward secrecy reach the account once a device has started a group.'],
          steps: [['start one here', start]],
        },
      ]
    case 'Waiting': {
      const title = ownRequest?.isAccepted ? 'Another device has let this one in' : 'This device waits to be let in'
      return [{ topic: 'outside', title, text: [], steps: [['pictures and what to do', typed(options, 'link', 'status')]] }]
    }
    default:
      return []
  }
}

const MARGIN = '   '
/** Longer lines tire the eye. */
const TEXT_COLUMNS = 96

/** A notice as lines of text. @param columns of the terminal, if there is one */
export function noticeText({ title, text, steps }: Notice, paint: Paint, columns = TEXT_COLUMNS): string {
  const width = Math.min(columns, TEXT_COLUMNS) - MARGIN.length
  const widest = Math.max(0, ...steps.map(([purpose]) => purpose.length))
  return [
    `${paint.yellow('▌')} ${paint.bold(title)}`,
    ...text.flatMap(line => wrap(line, width)).map(line => `${MARGIN}${line}`),
    ...steps.map(([purpose, command]) => `${MARGIN}${paint.dim(`${purpose}:`.padEnd(widest + 1))}  ${paint.cyan(command)}`),
  ].join('\n')
}
