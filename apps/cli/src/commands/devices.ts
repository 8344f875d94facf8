/**
 * `devices list | log | remove ID | rename TEXT`: the devices of the account, and what became of them.
 */
import { type Client, ClientError, type DeviceView } from '@session-v2/client'
import { openedClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { chosen } from '../devices/chosen.ts'
import { deviceRecord, logRecord } from '../devices/device-records.ts'
import { deviceName, deviceTable, groupLine, isFoundOnJoining, logSentence } from '../devices/device-text.ts'
import { changed, shownAfterSync, useWithNews } from '../devices/news.ts'
import { DESCRIPTION_MAX_BYTES, describable } from '../devices/this-device.ts'
import { CliError } from '../failure.ts'
import { capitalised, localTime } from '../output.ts'
import { askYesNo, isPersonThere } from '../terminal.ts'

const NOTHING_CHANGED = 'Nothing was changed.'

export const listDevices: Run = async context => {
  await useWithNews(context, openedClient(context), client => shownAfterSync(context, client, () => showDevices(context, client)))
}

function showDevices({ output }: Context, client: Client): void {
  const { devices, group } = client.devices.view()
  if (output.json) {
    for (const device of devices) output.result(deviceRecord(device), '')
    return
  }
  const head = group === undefined ? 'This device is in no device group.' : `Group  ${groupLine(group, output.paint)}`
  output.text([head, ...(devices.length === 0 ? [] : ['', deviceTable(devices, output.paint)])].join('\n'))
}

export const showLog: Run = async (context, _operands, options) => {
  await useWithNews(
    context,
    openedClient(context),
    client =>
      shownAfterSync(context, client, async () => {
        const entries = await client.devices.log(options.last as number)
        for (const entry of entries.toReversed()) {
          const sentence = logSentence(entry, isFoundOnJoining(entry, entries))
          context.output.result(logRecord(entry), `${localTime(entry.seenAtMs)}  ${sentence}`)
        }
        if (entries.length === 0 && !context.output.json) context.output.text('Nothing has happened yet.')
      }),
    ['changes'],
  )
}

export const removeDevice: Run = async (context, [operand], options) => {
  await useWithNews(context, openedClient(context), async client => {
    let id = ''
    await changed(context, client, async () => {
      const device = deviceOf(client, operand!)
      id = device.id
      if (device.isThis) throw new ClientError('unknown-device', 'That is this device. It leaves with: session-v2 group leave')
      if (options.yes !== true && isPersonThere() && !context.output.json) await confirmRemoval(context, device)
      await client.devices.remove(id)
    })
    const device = client.devices.view().devices.find(each => each.id === id)!
    context.output.result(
      deviceRecord(device),
      `${capitalised(deviceName(device))} is removed, and the account key was changed in the same step.
People who write to you may use the old key for up to 48 hours; what they send until then it could still read.`,
    )
  })
}

function deviceOf(client: Client, text: string): DeviceView {
  const { devices } = client.devices.view()
  return chosen(text, { among: devices, idOf: ({ id }) => id, noun: 'device', unknown: 'unknown-device' })
}

async function confirmRemoval({ output, signal }: Context, device: DeviceView): Promise<void> {
  output.note(`${deviceTable([device], output.paint)}\n`)
  const question = 'Remove this device for good? It can come back only as a new one that you let in.'
  if (!(await askYesNo(question, signal))) throw new CliError('not-confirmed', NOTHING_CHANGED)
}

export const renameDevice: Run = async (context, [text]) => {
  const description = describable(text!)
  if (description === '') throw new CliError('usage', 'The name is empty.')
  if (description !== text) context.output.note(`The name is cut to one line of ${DESCRIPTION_MAX_BYTES} bytes: ${description}`)
  await useWithNews(context, openedClient(context), async client => {
    await changed(context, client, () => client.devices.rename(description))
    const held = client.devices.view().devices.find(({ isThis }) => isThis)
    const told =
      held?.state === 'member'
        ? 'The other devices of the account see it.'
        : 'Other devices see it when this one asks to be let in.'
    context.output.result(renamedRecord(client, held, description), `This device is called “${description}” now. ${told}`)
  })
}

/** A device that is in no group has no row to show; it says this of itself as soon as it asks. */
function renamedRecord(client: Client, held: DeviceView | undefined, description: string) {
  const { deviceId } = client.account()
  const unknown = { type: 'c', version: undefined, state: 'left', updatedAtMs: undefined, removedAtMs: undefined } as const
  const record = deviceRecord({ ...unknown, id: deviceId, isThis: true, ...held, description })
  return held === undefined ? { ...record, state: 'outside' } : record
}
