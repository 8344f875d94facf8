/**
 * `group start | leave | dismiss ID` and `device renew`: which group this device is of, and beginning anew.
 */
import type { Client } from '@session-v2/client'
import { openedClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { membershipRecord } from '../devices/device-records.ts'
import { groupLine } from '../devices/device-text.ts'
import { groupOf } from '../devices/groups.ts'
import { changed, useWithNews } from '../devices/news.ts'
import { CliError } from '../failure.ts'
import { typed } from '../shell-word.ts'
import { askYesNo, isPersonThere } from '../terminal.ts'

type Told = (client: Client) => string

/** Makes a change and prints which group this device is of then. */
async function change(context: Context, act: (client: Client) => Promise<unknown>, told: Told): Promise<void> {
  await useWithNews(context, openedClient(context), async client => {
    await changed(context, client, () => act(client))
    context.output.result(membershipRecord(client.devices.view()), told(client))
  })
}

export const startGroup: Run = context =>
  change(
    context,
    client => client.devices.startGroup(),
    client => {
      const { group } = client.devices.view()
      return `This device has started a group:\n  ${groupLine(group!, context.output.paint)}
Devices of other groups are told that there is one. They move here when they ask: session-v2 link request`
    },
  )

export const leaveGroup: Run = (context, _operands, options) =>
  change(
    context,
    async client => {
      const question =
        'Leave the group? Messages to the account can no longer be opened here, until a group lets this device in again.'
      const asks = options.yes !== true && isPersonThere() && !context.output.json
      if (asks && !(await askYesNo(question, context.signal))) throw new CliError('not-confirmed', 'Nothing was changed.')
      await client.devices.leave()
    },
    () => 'This device has left its group; the others replace the account key.',
  )

export const dismissGroup: Run = async (context, [operand]) => {
  let id = ''
  await change(
    context,
    client => {
      id = groupOf(client, operand!).id
      return client.devices.dismiss(id)
    },
    () => `Nothing more is said of the group ${id}. It is still there: ${typed(context.options, 'link', 'groups')}`,
  )
}

export const renewDevice: Run = context =>
  change(
    context,
    client => client.devices.renew(),
    client => `This is a new device of the account now, with the ID ${client.account().deviceId}.`,
  )
