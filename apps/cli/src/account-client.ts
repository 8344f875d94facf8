/**
 * The client of the account in the home: opened with its key, on the network it was told, and always closed again.
 */
import { Client, type OpenOptions } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { type Context, interrupted } from './context.ts'
import { thisDevice } from './devices/this-device.ts'
import { CliError } from './failure.ts'
import { Home } from './home.ts'
import { nodeHttp } from './transport/node-http.ts'

const DIRECT_NOTE = 'note: this local network is too small for paths of relays; requests go to its nodes directly.'

/** What a new account needs: where it is kept, what opens it, where its network is. */
export type NewAccountOptions = OpenOptions & { readonly seeds: readonly string[] }

/** Opens the account that is in the home. */
export async function openedClient(context: Context): Promise<Client> {
  const { home: folder, passphraseFile, seed: seeds } = context.options
  const home = new Home(folder)
  const unlock = home.existingKey(passphraseFile)
  const exposure = home.exposure()
  if (exposure !== undefined) context.output.note(exposure)
  const store = await openSqliteStore(home.storePath)
  return Client.open({ store, unlock, ...ports(context), ...(seeds !== undefined && { seeds }) })
}

/** Makes an account in the home: `make` says how. */
export async function madeClient(context: Context, make: (options: NewAccountOptions) => Promise<Client>): Promise<Client> {
  const { home: folder, passphraseFile, seed: seeds } = context.options
  if (seeds === undefined) throw new CliError('usage', 'Say where the network is with --seed URL.')
  const home = new Home(folder)
  const unlock = home.newKey(passphraseFile, warning => context.output.note(warning))
  const store = await openSqliteStore(home.storePath)
  try {
    return await make({ store, unlock, seeds, ...ports(context) })
  } catch (error) {
    await store.close()
    throw error
  }
}

/** How requests travel, through relays unless --direct says otherwise, and what a device that begins here says of itself. */
function ports({ options, program }: Context) {
  return { http: nodeHttp(), transport: options.direct === true ? 'direct' : 'onion', device: thisDevice(program) } as const
}

/**
 * Does something with a client and closes it, whatever happens. Says when requests went directly that nobody had chosen to.
 *
 * @throws CliError `interrupted` as soon as the signal is raised; what was under way is cut, and nothing that was kept is lost
 */
export async function useClient(
  context: Context,
  opening: Promise<Client>,
  use: (client: Client) => Promise<void>,
): Promise<void> {
  const cut = interrupted(context.signal).then(() => {
    throw new CliError('interrupted', 'Interrupted.')
  })
  const client = await Promise.race([opening, cut])
  try {
    await Promise.race([use(client), cut])
    if (client.transport() === 'direct' && context.options.direct !== true) context.output.note(DIRECT_NOTE)
  } finally {
    await client.close()
  }
}

/** The promise's value. @throws CliError `timeout` after the seconds of --timeout, if that was given. */
export async function inTime<T>(context: Context, promise: Promise<T>): Promise<T> {
  const { timeoutMs } = context.options
  if (timeoutMs === undefined) return promise
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    const message = `The network did not answer within ${timeoutMs / 1000} s. Nothing is lost; try again.`
    timer = setTimeout(() => reject(new CliError('timeout', message)), timeoutMs)
  })
  try {
    return await Promise.race([promise, expired])
  } finally {
    clearTimeout(timer)
  }
}
