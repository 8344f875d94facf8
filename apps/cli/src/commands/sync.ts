/**
 * `sync`: one complete poll and all work it makes due.
 */
import { openedClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import { synced, useWithNews } from '../devices/news.ts'

export const sync: Run = async context => {
  await useWithNews(context, openedClient(context), async client => {
    const { received, quarantined, pushed, membership } = await synced(context, client)
    const texts = [
      `${received} received`,
      `${pushed} sent`,
      ...(quarantined > 0 ? [`${quarantined} could not be opened yet`] : []),
    ]
    context.output.result({ received, quarantined, pushed, membership }, texts.join(', '))
  })
}
