/**
 * `sync`: one complete poll and all work it makes due.
 */
import { inTime, openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'

export const sync: Run = async context => {
  await useClient(context, openedClient(context), async client => {
    const { received, quarantined, pushed, membership } = await inTime(context, client.sync())
    const texts = [
      `${received} received`,
      `${pushed} sent`,
      ...(quarantined > 0 ? [`${quarantined} could not be opened yet`] : []),
    ]
    context.output.result({ received, quarantined, pushed, membership }, texts.join(', '))
  })
}
