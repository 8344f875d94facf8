/**
 * `path`: the way of a request to the account's own swarm, found by sending one.
 */
import type { PathNodeView, PathView } from '@session-v2/client'
import { inTime, openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'

export const path: Run = async context => {
  await useClient(context, openedClient(context), async client => {
    const way = await inTime(context, client.path())
    const record = { transport: way.transport, relays: way.relays.map(nodeRecord), destination: nodeRecord(way.destination) }
    context.output.result(record, pathText(way))
  })
}

function nodeRecord({ ed25519, address }: PathNodeView) {
  return { ed25519, address }
}

function pathText({ relays: [guard, ...relays], destination }: PathView): string {
  if (guard === undefined)
    return `Requests go directly to a node, which sees the address of this computer.\n\n${line('node', destination)}`
  return [
    'Requests go through relays. The guard sees the address of this computer, the destination what is asked, none both.\n',
    line('guard', guard),
    ...relays.map(relay => line('relay', relay)),
    line('destination', destination),
  ].join('\n')
}

function line(role: string, { ed25519, address }: PathNodeView): string {
  return `  ${role.padEnd(13)}${ed25519.slice(0, 8)}…  ${address}`
}
