/** A person: an account and the devices it is on. What a person does takes several devices and the eyes that compare them. */
import type { Client } from '@session-v2/client'
import type { Device } from './device.ts'

export class Person {
  readonly name: string
  readonly devices: Device[] = []
  readonly mostDevices: number
  accountId = ''
  recoveryPassword = ''
  /** The moments at which something happened that may cost keys: a device put back or lost, a group founded or left beside another. */
  readonly setbacksMs: number[] = []
  #named = 0

  constructor(name: string, mostDevices: number) {
    this.name = name
    this.mostDevices = mostDevices
  }

  /** The devices there are. */
  get living(): readonly Device[] {
    return this.devices.filter(({ isGone, hasBegun }) => hasBegun && !isGone)
  }

  /** A name for a device that comes. */
  nextName(): string {
    return `${this.name}/${++this.#named}`
  }
}

/** Whether a device has no group yet that it could lose. */
export function isOutside(client: Client): boolean {
  return ['GroupsVisible', 'NoGroup', 'Waiting'].includes(client.devices.view().membership)
}

/** The devices that are members of a group, with its ID. */
export function groupsOf(devices: readonly Device[]): Map<string, Device[]> {
  const groups = new Map<string, Device[]>()
  for (const device of devices) {
    if (!device.isRunning) continue
    const { membership, group } = device.client.devices.view()
    if (membership !== 'InGroup' || group === undefined) continue
    groups.set(group.id, [...(groups.get(group.id) ?? []), device])
  }
  return groups
}

/** The group that a person takes for the right one: that with most devices, of several the one that sorts first. */
export function mainGroup(devices: readonly Device[]): { readonly id: string; readonly members: readonly Device[] } | undefined {
  const [first] = [...groupsOf(devices)].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
  return first && { id: first[0], members: first[1] }
}

/** Lets a device into the group of a member: asks, accepts, compares the pictures, confirms. Each step may fail. */
export async function link(device: Device, member: Device, groupId: string, pause: () => Promise<void>): Promise<boolean> {
  let asked: readonly string[] = []
  const steps: readonly (readonly [Device, string, (client: Client) => Promise<unknown>])[] = [
    [device, 'sync', client => client.sync()],
    [device, 'ask', async client => (asked = pictures(await client.devices.ask(groupId)))],
    [member, 'sync', client => client.sync()],
    [member, 'accept', client => client.devices.accept(requestOf(client, asked))],
    [member, 'sync', client => client.sync()],
    [device, 'sync', client => client.sync()],
    [device, 'confirm', client => client.devices.confirm()],
    [device, 'sync', client => client.sync()],
  ]
  for (const [who, what, run] of steps) {
    if (!(await who.act(what, run))) return false
    await pause()
  }
  return true
}

/** The request with these pictures, as a person finds it. */
function requestOf(client: Client, asked: readonly string[]): string {
  const request = client.devices.linkRequests().find(each => each.status === 'open' && pictures(each).join() === asked.join())
  return request?.id ?? ''
}

function pictures({ emoji }: { readonly emoji: readonly { readonly name: string }[] }): string[] {
  return emoji.map(({ name }) => name)
}
