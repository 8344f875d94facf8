/**
 * Which device group is meant, and which could be asked.
 */
import { type Client, ClientError, type DevicesView, type GroupView } from '@session-v2/client'
import type { GlobalOptions } from '../context.ts'
import { typed } from '../shell-word.ts'
import { chosen } from './chosen.ts'

/** The group in view whose ID begins with the text. @throws ClientError `unknown-group`, CliError `ambiguous-id`, `usage` */
export function groupOf(client: Client, text: string): GroupView {
  const { groups } = client.devices.view()
  return chosen(text, { among: groups, idOf: ({ id }) => id, noun: 'device group', unknown: 'unknown-group' })
}

/**
 * Groups that this device could be told to ask without a name: those that were not dismissed. A device that is in no group, because it left
 * or dismissed them all, may have any.
 */
export function askableGroups({ groups, membership }: Pick<DevicesView, 'groups' | 'membership'>): readonly GroupView[] {
  const others = groups.filter(({ isOurs }) => !isOurs)
  const news = others.filter(({ isDismissed }) => !isDismissed)
  return news.length > 0 || membership === 'InGroup' ? news : others
}

/**
 * The ID of the group to ask where none was named; undefined where the client has to say what is wrong.
 * @throws ClientError `already-in-group` for a member when there is no other group, `unknown-group` when there are several
 */
export function onlyAskableGroup(view: DevicesView): string | undefined {
  const [only, another] = askableGroups(view)
  if (another !== undefined) throw new ClientError('unknown-group', 'There are several device groups. Say which one to ask.')
  if (only === undefined && view.membership === 'InGroup')
    throw new ClientError('already-in-group', 'This device is linked, and no other group is to be seen.')
  return only?.id
}

/** What to type to ask to be let in. */
export function askingCommand(options: GlobalOptions, view: Pick<DevicesView, 'groups' | 'membership'>): string {
  return typed(options, 'link', 'request', ...(askableGroups(view).length > 1 ? ['GROUP'] : []), '--wait')
}
