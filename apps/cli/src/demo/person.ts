/**
 * One person of the demonstration: a home as the commands use it, a client on it, and what storage nodes were asked to keep.
 */
import { join } from 'node:path'
import { Client, type MessageView, type Transport } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { thisDevice } from '../devices/this-device.ts'
import { Home } from '../home.ts'
import { thisProgram } from '../this-program.ts'
import { nodeHttp } from '../transport/node-http.ts'
import { type SeenStore, watchedTransport } from './watched-transport.ts'

export class Person {
  readonly name: string
  readonly folder: string
  readonly client: Client
  /** Every store request of this person so far, oldest first. */
  readonly stores: readonly SeenStore[]
  #cursor = 0

  private constructor(name: string, folder: string, client: Client, stores: readonly SeenStore[]) {
    this.name = name
    this.folder = folder
    this.client = client
    this.stores = stores
  }

  /** Opens the person's home below the folder, or makes an account there on the network. */
  static async atHome(name: string, parent: string, seed: string): Promise<Person> {
    const home = new Home(join(parent, name.toLowerCase()))
    const isOld = home.used
    const stores: SeenStore[] = []
    const transport = (onion: Transport) => watchedTransport(onion, seen => stores.push(seen))
    const unlock = home.newKey(undefined, () => {})
    const ports = { http: nodeHttp(), transport, device: thisDevice(thisProgram()) }
    const options = { store: await openSqliteStore(home.storePath), unlock, seeds: [seed], ...ports }
    const client = isOld ? await Client.open(options) : await Client.create({ ...options, name })
    const person = new Person(name, home.folder, client, stores)
    if (isOld) await person.receive()
    return person
  }

  /** Polls. @returns what came in since the last time */
  async receive(): Promise<MessageView[]> {
    await this.client.sync()
    const messages = await this.client.messages({ after: this.#cursor })
    this.#cursor = messages.at(-1)?.cursor ?? this.#cursor
    return messages.filter(message => !message.outgoing)
  }
}
