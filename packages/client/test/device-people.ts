/** People with several devices: restoring, linking, syncing in turn. */
import { Client, openMemoryStore } from '@session-v2/client'
import type { NetworkUnderTest } from './network-under-test.ts'
import { UNLOCK } from './people.ts'
import type { SimulatedTime } from './simulated-time.ts'

export class DevicePeople {
  readonly #network: NetworkUnderTest
  readonly #time: SimulatedTime

  constructor(network: NetworkUnderTest, time: SimulatedTime) {
    this.#network = network
    this.#time = time
  }

  /** The account of another device's recovery password, on a device of its own. */
  restore(first: Client, ports: object = {}): Promise<Client> {
    const recoveryPassword = first.recoveryPassword()
    const options = { store: openMemoryStore(), unlock: UNLOCK, seeds: this.#network.seeds, clock: this.#time }
    return Client.restore({ ...options, recoveryPassword, ...ports })
  }

  /** Time goes on and everybody syncs, one after the other. */
  async sync(...clients: Client[]): Promise<void> {
    for (const client of clients) {
      this.#time.advance(1000)
      await client.sync()
    }
  }

  /** A device asks a member's group to be let in, and both sides agree. */
  async link(joining: Client, member: Client): Promise<void> {
    await joining.devices.ask(member.devices.view().group!.id)
    await this.sync(member)
    const request = member.devices.view().requests.find(({ device }) => device.id === joining.account().deviceId)
    await member.devices.accept(request!.id)
    await this.sync(member, joining)
    await joining.devices.confirm()
    await this.sync(joining, member, joining)
  }

  /** A second device of an account, linked. */
  async second(first: Client, ports: object = {}): Promise<Client> {
    const second = await this.restore(first, ports)
    await this.link(second, first)
    return second
  }
}
