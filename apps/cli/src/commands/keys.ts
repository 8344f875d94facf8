/**
 * `keys`: which keys are held and until when. No secrets.
 */
import { openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import { localTime } from '../output.ts'

export const keys: Run = async context => {
  await useClient(context, openedClient(context), async client => {
    const rows = client.keys().accountKeys.map(key => ({
      created_at: key.createdAtMs,
      rotated_at: key.rotatedAtMs ?? null,
      erase_at: key.eraseAtMs ?? null,
      current: key.current,
    }))
    const lines = rows.map(row => {
      const until = row.erase_at === null ? 'in use' : `replaced ${localTime(row.rotated_at!)}, erased ${localTime(row.erase_at)}`
      return `  made ${localTime(row.created_at)}   ${until}`
    })
    context.output.result({ account_keys: rows, device_keys: [] }, ['Account keys', ...lines].join('\n'))
  })
}
