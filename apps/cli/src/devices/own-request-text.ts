/**
 * What a person is told about the request of this device: the pictures, how long it holds, and what to do next.
 */
import type { DevicesView, OwnRequestView } from '@session-v2/client'
import type { Context } from '../context.ts'
import { localTime } from '../output.ts'
import { typed } from '../shell-word.ts'
import { countdown, groupLine } from './device-text.ts'
import { emojiLines, LINE_LENGTH } from './emoji-lines.ts'
import { askingCommand } from './groups.ts'

/** The pictures to compare. @param wholly all 21, else the first seven */
export function picturesText({ output }: Context, { emoji }: Pick<OwnRequestView, 'emoji'>, wholly: boolean): string {
  return emojiLines(wholly ? emoji : emoji.slice(0, LINE_LENGTH), { paint: output.paint, columns: process.stdout.columns })
}

export interface JoiningStyle {
  /** All 21 pictures. */
  readonly wholly?: boolean
  /** The command waits for the answer itself. */
  readonly waits?: boolean
}

/** How this device stands. @param request what it asks or asked; undefined when it asks nothing */
export function joiningText(
  context: Context,
  view: DevicesView,
  request: OwnRequestView | undefined,
  style: JoiningStyle,
): string {
  const { output, options } = context
  const { membership, group } = view
  if (request === undefined) return idleText(context, view)
  if (membership === 'InGroup' && group?.id === request.groupId) {
    const read = output.paint.cyan(typed(options, 'read'))
    return `Linked: this device is in the group\n  ${groupLine(group, output.paint)}\n\nIt reads what is still in the network with: ${read}`
  }
  const { expiresAtMs } = request
  if (!request.isAccepted && expiresAtMs !== undefined && expiresAtMs <= Date.now())
    return `Nobody answered the request of this device until ${localTime(expiresAtMs)}.\n\n${idleText(context, view)}`
  const pictures = ['This device shows', '', picturesText(context, request, style.wholly === true), '']
  return [...pictures, ...progressLines(context, request, style)].join('\n')
}

function progressLines(context: Context, request: OwnRequestView, { waits = false }: JoiningStyle): readonly string[] {
  const { isAccepted, isConfirmed, expiresAtMs } = request
  const command = (...words: readonly string[]) => context.output.paint.cyan(typed(context.options, ...words))
  if (isAccepted) {
    return [
      'The other device has let this one in. If it showed the same pictures:',
      `  ${command('link', 'confirm')}`,
      `If it did not, it was not yours: ${command('link', 'cancel')}`,
    ]
  }
  const until =
    expiresAtMs === undefined ? '' : ` It holds until ${localTime(expiresAtMs)}, ${countdown(expiresAtMs - Date.now())} from now.`
  const there = [
    'On another device of the account, compare the pictures and accept:',
    `  ${elsewhere(context, 'link', 'requests')}`,
  ]
  if (isConfirmed) {
    return [`You have confirmed; the request is open.${until}`, ...there, `Then, here: ${command('link', 'status')}`]
  }
  const here = [
    'Here, when both show the same:',
    `  ${command('link', 'confirm')}`,
    `To take it back: ${command('link', 'cancel')}`,
  ]
  return [`The request is sent.${until}`, ...there, ...(waits ? [] : here)]
}

/** What to type on another device, whose home is not known here. */
function elsewhere({ output }: Context, ...words: readonly string[]): string {
  return output.paint.cyan(typed({ json: false }, ...words))
}

/** What a device that asks nothing is told. */
function idleText(context: Context, view: DevicesView): string {
  const { output, options } = context
  switch (view.membership) {
    case 'InGroup':
      return `This device asks nothing. It is in the group\n  ${groupLine(view.group!, output.paint)}`
    case 'Unknown':
      return 'The device groups of this account have not been fetched yet.'
    case 'NoGroup':
      return `No device group of this account is to be seen. To start one here: ${output.paint.cyan(typed(options, 'group', 'start'))}`
    case 'GroupsVisible':
    case 'Waiting':
      return visibleText(context, view)
    default:
      return 'This device asks nothing.'
  }
}

/** The groups that this device could ask, and how. */
export function visibleText({ output, options }: Context, view: DevicesView): string {
  const [, ...more] = view.groups
  return [
    more.length === 0
      ? 'The other devices of the account form this group:'
      : 'These device groups of the account are to be seen:',
    ...view.groups.map(group => `  ${groupLine(group, output.paint)}${group.isDismissed ? '  (dismissed)' : ''}`),
    '',
    `To ask to be let in:   ${output.paint.cyan(askingCommand(options, view))}`,
    `To start a new group:  ${output.paint.cyan(typed(options, 'group', 'start'))}`,
    'A new group has none of the keys of the others, and they are told that there is one.',
  ].join('\n')
}
