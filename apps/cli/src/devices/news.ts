/**
 * Syncing for a person: after the swarm was asked, what they should know is told on stderr, once each; and what a command changed is
 * pushed before it ends.
 */
import { setImmediate as afterPendingReads } from 'node:timers/promises'
import { type Client, ClientError, type DeviceLogEntry, type SyncResult } from '@session-v2/client'
import { inTime, useClient } from '../account-client.ts'
import type { Context } from '../context.ts'
import { CliError } from '../failure.ts'
import { paintFor } from '../output.ts'
import { typed } from '../shell-word.ts'
import { isFoundOnJoining } from './device-text.ts'
import { noticesOf, noticeText, type Topic } from './notices.ts'

const LOG_PAGE = 100
/** What is told of others: the rest of the log is about this device, or of interest to who looks. */
const TOLD: ReadonlySet<DeviceLogEntry['kind']> = new Set(['joined', 'left', 'removed', 'replaced'])

/** What is new since the command began, told once each. */
export class News {
  readonly #context: Context
  readonly #client: Client
  readonly #newestBefore: DeviceLogEntry | undefined
  readonly #told = new Set<string>()
  #alarm = false

  private constructor(context: Context, client: Client, newestBefore: DeviceLogEntry | undefined) {
    this.#context = context
    this.#client = client
    this.#newestBefore = newestBefore
  }

  static async begin(context: Context, client: Client): Promise<News> {
    const news = new News(context, client, (await client.devices.log(1))[0])
    news.#listen().catch(() => {})
    return news
  }

  /** Tells what was not told yet. @param except what the command tells in its own words */
  async tell(except: readonly Topic[] = []): Promise<void> {
    await afterPendingReads()
    const { output, options } = this.#context
    const since = await this.#since()
    const joined = since.some(({ kind }) => kind === 'this-joined')
    const news = { changes: this.#changes(since), alarm: this.#alarm, joined }
    const notices = noticesOf(this.#client.devices.view(), news, options).filter(({ topic }) => !except.includes(topic))
    const texts = notices
      .map(notice => noticeText(notice, paintFor(process.stderr), process.stderr.columns))
      .filter(text => !this.#told.has(text))
    for (const text of texts) {
      this.#told.add(text)
      output.note(`\n${text}`)
    }
  }

  /** What was noted since the command began, newest first. */
  async #since(): Promise<DeviceLogEntry[]> {
    const before = JSON.stringify(this.#newestBefore)
    const newest = await this.#client.devices.log(LOG_PAGE)
    const known = newest.findIndex(entry => JSON.stringify(entry) === before)
    return known === -1 ? newest : newest.slice(0, known)
  }

  /** What others did, oldest first. */
  #changes(since: readonly DeviceLogEntry[]): DeviceLogEntry[] {
    const { deviceId: self } = this.#client.account()
    const news = since.filter(entry => !isFoundOnJoining(entry, since))
    return news.filter(({ kind, deviceId, byThisDevice }) => !byThisDevice && deviceId !== self && TOLD.has(kind)).reverse()
  }

  async #listen(): Promise<void> {
    for await (const event of this.#client.events()) if (event.type === 'account_keys_alarm') this.#alarm = true
  }
}

/** Does something with a client and then tells what is new. @param except what the command tells in its own words */
export async function useWithNews(
  context: Context,
  opening: Promise<Client>,
  use: (client: Client, news: News) => Promise<void>,
  except: readonly Topic[] = [],
): Promise<void> {
  await useClient(context, opening, async client => {
    const news = await News.begin(context, client)
    await use(client, news)
    await news.tell(except)
  })
}

/** One complete poll, in the time of --timeout. */
export function synced(context: Context, client: Client): Promise<SyncResult> {
  return inTime(context, client.sync())
}

/** Shows what is held even when the network does not answer; that failure is told after it. */
export async function shownAfterSync(context: Context, client: Client, show: () => Promise<void> | void): Promise<void> {
  try {
    await synced(context, client)
  } finally {
    await show()
  }
}

const UNANSWERED: ReadonlySet<string> = new Set(['network-unavailable', 'no-path', 'clock-off', 'timeout'])

export function isUnanswered(error: unknown): boolean {
  return (error instanceof ClientError || error instanceof CliError) && UNANSWERED.has(error.code)
}

/**
 * Syncs, does something for the person, and syncs again so that the others learn of it. When they cannot be told now, that is said:
 * what was done is kept, and the next sync tells them.
 */
export async function changed(context: Context, client: Client, change: () => Promise<unknown>): Promise<void> {
  await synced(context, client)
  await change()
  await told(context, client)
}

/** Syncs so that the others learn of what was done. */
export async function told(context: Context, client: Client): Promise<void> {
  try {
    await synced(context, client)
  } catch (error) {
    if (!isUnanswered(error)) throw error
    const next = typed(context.options, 'sync')
    context.output.note(`The network does not answer. This is kept here, and the other devices learn of it with: ${next}`)
  }
}
