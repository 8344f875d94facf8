/**
 * `link groups | request [GROUP] | status | confirm | cancel`: a device that wants to be let in.
 *
 *     request ──▶ another device accepts ──▶ confirm ──▶ linked
 *        └──────▶ confirm ──▶ another device accepts ──▶ linked with the next sync
 */
import type { Client, GroupView, OwnRequestView } from '@session-v2/client'
import { openedClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { groupRecord, ownRequestRecord } from '../devices/device-records.ts'
import { groupLine } from '../devices/device-text.ts'
import { groupOf, onlyAskableGroup } from '../devices/groups.ts'
import { changed, shownAfterSync, synced, told, useWithNews } from '../devices/news.ts'
import { type JoiningStyle, joiningText, picturesText } from '../devices/own-request-text.ts'
import { waitedFor } from '../devices/waiting.ts'
import { CliError } from '../failure.ts'
import { typed } from '../shell-word.ts'
import { askYesNo, isPersonThere } from '../terminal.ts'

/** These commands say themselves how this device stands. */
const SAID = ['outside'] as const

export const listGroups: Run = async context => {
  const show = ({ output }: Context, client: Client) => {
    const { groups } = client.devices.view()
    for (const group of groups) output.result(groupRecord(group), `${groupLine(group, output.paint)}${remark(group)}`)
    if (groups.length === 0 && !output.json) output.text('No device group of this account is to be seen.')
  }
  await useWithNews(context, openedClient(context), client => shownAfterSync(context, client, () => show(context, client)))
}

function remark({ isOurs, isDismissed }: GroupView): string {
  return isOurs ? '  (this device is in it)' : isDismissed ? '  (dismissed)' : ''
}

export const requestLink: Run = async (context, [group], options) => {
  const wholly = options.all === true
  await useWithNews(
    context,
    openedClient(context),
    async client => {
      await synced(context, client)
      const request = await client.devices.ask(
        group === undefined ? onlyAskableGroup(client.devices.view()) : groupOf(client, group).id,
      )
      await synced(context, client)
      showRequest(context, client, request, { wholly, waits: options.wait === true })
      if (options.wait === true) await waitAndConfirm(context, client, request)
    },
    SAID,
  )
}

async function waitAndConfirm(context: Context, client: Client, request: OwnRequestView): Promise<void> {
  const outcome = await waitedFor(context, client, request)
  if (outcome === 'answered' && isPersonThere() && !context.output.json) {
    context.output.note(`\nThe other device has let this one in.\n\n${picturesText(context, request, false)}\n`)
    if (!(await askYesNo('Did both devices show the same pictures?', context.signal))) {
      await client.devices.cancel()
      throw new CliError('not-confirmed', 'The request is taken back. What answered may not have been your device.')
    }
    await client.devices.confirm()
    await told(context, client)
  }
  showRequest(context, client, request)
}

export const showLinkStatus: Run = async (context, _operands, options) => {
  const show = (client: Client, asked: OwnRequestView | undefined) =>
    showRequest(context, client, asked, { wholly: options.all === true })
  await useWithNews(
    context,
    openedClient(context),
    client => {
      const { ownRequest } = client.devices.view()
      return shownAfterSync(context, client, () => show(client, ownRequest))
    },
    SAID,
  )
}

export const confirmLink: Run = async context => {
  await useWithNews(
    context,
    openedClient(context),
    async client => {
      const { ownRequest } = client.devices.view()
      await changed(context, client, async () => {
        // It may have been confirmed before, and the sync just now brought the answer.
        if (!isLinked(client, ownRequest)) await client.devices.confirm()
      })
      showRequest(context, client, ownRequest)
    },
    SAID,
  )
}

export const cancelLink: Run = async context => {
  await useWithNews(
    context,
    openedClient(context),
    async client => {
      await changed(context, client, () => client.devices.cancel())
      const view = client.devices.view()
      const again = typed(context.options, 'link', 'request')
      context.output.result(ownRequestRecord(undefined, view), `The request is taken back. To ask again: ${again}`)
    },
    SAID,
  )
}

/** Whether what was asked has come true. */
function isLinked(client: Client, asked: OwnRequestView | undefined): boolean {
  const { membership, group, ownRequest } = client.devices.view()
  return asked !== undefined && ownRequest === undefined && membership === 'InGroup' && group?.id === asked.groupId
}

/** How this device stands. A request that has come true is forgotten by the state, and still shown by the command that saw it. */
function showRequest(context: Context, client: Client, asked: OwnRequestView | undefined, style: JoiningStyle = {}): void {
  const view = client.devices.view()
  const done = asked !== undefined && isLinked(client, asked) ? { ...asked, isConfirmed: true, isAccepted: true } : undefined
  const request = view.ownRequest ?? done
  context.output.result(ownRequestRecord(request, view), joiningText(context, view, request, style))
}
