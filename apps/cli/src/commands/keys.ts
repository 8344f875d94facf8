/**
 * `keys`: which keys are held and until when, and what a thief of this device could read with them. No secrets.
 */
import type { KeyView } from '@session-v2/client'
import { openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import { exposureOf, exposureText } from '../devices/exposure.ts'
import { localTime } from '../output.ts'

export const keys: Run = async context => {
  await useClient(context, openedClient(context), async client => {
    const held = client.keys()
    const { accountKeys, deviceKeys } = held
    const sections = [
      ['Account keys: they open messages to the account', accountKeys],
      ['Keys of this device: they open what its other devices tell it, account keys among them', deviceKeys],
    ] as const
    const tables = sections.map(([title, rows]) => [title, ...(rows.length === 0 ? ['  none'] : rows.map(keyLine))].join('\n'))
    context.output.result(
      { account_keys: accountKeys.map(keyRecord), device_keys: deviceKeys.map(keyRecord) },
      [...tables, exposureText(exposureOf(held), Date.now())].join('\n\n'),
    )
  })
}

const UNROTATED = { current: 'in use', previous: 'kept until the others have its successor' } as const

function keyRecord({ createdAtMs, rotatedAtMs, eraseAtMs, current }: KeyView) {
  return { created_at: createdAtMs, rotated_at: rotatedAtMs ?? null, erase_at: eraseAtMs ?? null, current }
}

function keyLine({ createdAtMs, rotatedAtMs, eraseAtMs, current }: KeyView): string {
  const until =
    rotatedAtMs === undefined || eraseAtMs === undefined
      ? UNROTATED[current ? 'current' : 'previous']
      : `replaced ${localTime(rotatedAtMs)}, erased ${localTime(eraseAtMs)}`
  return `  made ${localTime(createdAtMs)}   ${until}`
}
