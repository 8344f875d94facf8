/**
 * `link requests | accept ID | ignore ID`: a device of the group that is asked to let another one in.
 */
import type { Client, LinkRequestView } from '@session-v2/client'
import { openedClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { chosen, shortened } from '../devices/chosen.ts'
import { linkRequestRecord, requestId } from '../devices/device-records.ts'
import { countdown, deviceKind, deviceName, endedRequestLine } from '../devices/device-text.ts'
import { changed, shownAfterSync, useWithNews } from '../devices/news.ts'
import { picturesText } from '../devices/own-request-text.ts'
import { CliError } from '../failure.ts'
import { capitalised, localTime } from '../output.ts'
import { typed } from '../shell-word.ts'
import { askYesNo, isPersonThere } from '../terminal.ts'

/** Earlier requests that people are shown. */
const EARLIER_SHOWN = 10

export const listRequests: Run = async (context, _operands, options) => {
  await useWithNews(
    context,
    openedClient(context),
    client => shownAfterSync(context, client, () => showRequests(context, client, options.all === true)),
    ['requests'],
  )
}

function showRequests(context: Context, client: Client, wholly: boolean): void {
  const { output } = context
  const requests = client.devices.linkRequests()
  if (output.json) {
    for (const request of requests) output.result(linkRequestRecord(request), '')
    return
  }
  const open = requests.filter(({ status }) => status === 'open')
  const ended = requests.filter(({ status }) => status !== 'open').slice(0, EARLIER_SHOWN)
  const blocks = open.map(request => requestText(context, request, wholly))
  output.text(blocks.length === 0 ? 'No device asks to be let in.' : blocks.join('\n\n'))
  if (ended.length > 0) output.text(output.paint.dim(['', 'Earlier', ...ended.map(endedRequestLine)].join('\n')))
}

function requestText(context: Context, request: LinkRequestView, wholly: boolean): string {
  const { options, output } = context
  const id = shortened(requestId(request))
  return [
    ...askingLines(request),
    '',
    picturesText(context, request, wholly),
    '',
    'If the other device shows the same pictures:',
    `  ${output.paint.cyan(typed(options, 'link', 'accept', id))}`,
    'If it does not, or you have no other device before you:',
    `  ${output.paint.cyan(typed(options, 'link', 'ignore', id))}`,
  ].join('\n')
}

function askingLines({ device, replaces, receivedAtMs, expiresAtMs }: LinkRequestView): readonly string[] {
  return [
    `${capitalised(deviceName(device))} asks to be let in`,
    `  ${deviceKind(device)}, seen ${localTime(receivedAtMs)}, for ${countdown(expiresAtMs - Date.now())} minutes more`,
    ...(replaces ? ['  It asks to REPLACE the device of the group with the same ID, which is out then.'] : []),
  ]
}

/** The request that is meant: an open one if any fits, else one that has ended, so that the state can say why not. */
function requestOf(client: Client, text: string): LinkRequestView {
  const requests = client.devices.linkRequests()
  const open = requests.filter(({ status }) => status === 'open')
  const start = text.toLowerCase()
  const among = open.some(request => requestId(request).startsWith(start)) ? open : requests
  return chosen(text, { among, idOf: requestId, noun: 'link request', unknown: 'unknown-request' })
}

export const acceptRequest: Run = async (context, [operand], options) => {
  await endRequest(context, operand!, {
    end: async (client, request) => {
      const isAsked = options.yes !== true && isPersonThere() && !context.output.json
      if (isAsked && request.status === 'open') await compare(context, request)
      await client.devices.accept(request.id)
    },
    done: ({ device }) => `${capitalised(deviceName(device))} is let in. It joins once its person has confirmed there too:
  session-v2 link confirm`,
  })
}

async function compare(context: Context, request: LinkRequestView): Promise<void> {
  context.output.note([...askingLines(request), '', picturesText(context, request, false), ''].join('\n'))
  const same = await askYesNo('Does the other device show the same pictures?', context.signal)
  if (!same) throw new CliError('not-confirmed', 'The device is not let in; its request is still open.')
}

export const ignoreRequest: Run = async (context, [operand], options) => {
  const deletes = options.delete === true
  await endRequest(context, operand!, {
    end: (client, request) => client.devices.ignore(request.id, { deletes }),
    done: ({ device }) =>
      `The request of ${deviceName(device)} is ignored${deletes ? ' and deleted from the network' : ' on this device; others still show it'}.
Whoever makes requests has the recovery password. If none of your devices asked, it is not yours alone.`,
  })
}

interface Ending {
  readonly end: (client: Client, request: LinkRequestView) => Promise<void>
  readonly done: (request: LinkRequestView) => string
}

async function endRequest(context: Context, operand: string, { end, done }: Ending): Promise<void> {
  await useWithNews(context, openedClient(context), async client => {
    let hash = ''
    await changed(context, client, async () => {
      const request = requestOf(client, operand)
      hash = request.id
      await end(client, request)
    })
    const request = client.devices.linkRequests().find(({ id }) => id === hash)!
    context.output.result(linkRequestRecord(request), done(request))
  })
}
