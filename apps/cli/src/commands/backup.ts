/**
 * `export FILE`, `import FILE`: the account's local data in one encrypted file, and back into a home.
 */
import { open } from 'node:fs/promises'
import { type BackupProgress, Client, ClientError, type ImportView, type Unlock } from '@session-v2/client'
import { madeClient, openedClient, useClient } from '../account-client.ts'
import type { OptionValues, Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { ProgressLine } from '../devices/progress-line.ts'
import { CliError, failureOf } from '../failure.ts'
import { readPassphrase } from '../home.ts'
import { requireFree, writeNewFile } from '../new-file.ts'
import { localTime, type Output } from '../output.ts'
import { isPersonThere, readHiddenLines } from '../terminal.ts'
import { nextText } from './account.ts'

export const exportBackup: Run = async (context, [operand], options) => {
  const path = operand!
  const mayReplace = options.force === true
  requireFree(path, mayReplace)
  await useClient(context, openedClient(context), async client => {
    const unlock = await newPassphrase(context, options)
    const progress = new Progress(context)
    let messages = 0
    const onProgress = (each: BackupProgress) => {
      messages = each.done
      progress.show(each)
    }
    const parts = untilAborted(context, client.backup.export(unlock, { onProgress }))
    const sizeBytes = await writeNewFile(path, parts, { mayReplace, signal: context.signal })
    progress.clear()
    const conversations = (await client.conversations()).length
    context.output.result(
      { file: path, account_id: client.accountId, messages, conversations, bytes: sizeBytes },
      `${counted(messages, 'message')} in ${path}.
Keep the passphrase elsewhere: without it the file opens for nobody, with it for everybody.`,
    )
  })
}

export const importBackup: Run = async (context, [operand], options) => {
  // First of all: a name that is wrong is told before anything is asked.
  const file = await open(operand!, 'r')
  try {
    const client = await clientThatIs(context)
    if (client === undefined) await importIntoNew(context, file.createReadStream({ autoClose: false }), options)
    else await importIntoOwn(context, client, file.createReadStream({ autoClose: false }), options)
  } finally {
    await file.close()
  }
}

type Source = AsyncIterable<Uint8Array>

async function importIntoNew(context: Context, backup: Source, options: OptionValues): Promise<void> {
  if (context.options.seed === undefined) throw new CliError('usage', 'Say where the network is with --seed URL.')
  const backupUnlock = await givenPassphrase(context, options)
  const progress = new Progress(context)
  const onProgress = (each: BackupProgress) => progress.show(each)
  const made = madeClient(context, common =>
    ofBackup(Client.fromBackup({ ...common, backup: untilAborted(context, backup), backupUnlock, onProgress })),
  )
  await useClient(context, made, async client => {
    progress.clear()
    const view = (await client.backup.imported())!
    const { accountId, deviceId, membership } = client.account()
    context.output.result(
      { account_id: accountId, new_home: true, ...importRecord(view), device_id: deviceId, membership },
      `${importText(view)}\n\n  account id  ${accountId}\n  device      ${deviceId}\n\n${nextText(context, client)}`,
    )
    noteSkipped(context.output, view)
  })
}

async function importIntoOwn(context: Context, own: Client, backup: Source, options: OptionValues): Promise<void> {
  await useClient(context, Promise.resolve(own), async client => {
    const unlock = await givenPassphrase(context, options)
    const progress = new Progress(context)
    const onProgress = (each: BackupProgress) => progress.show(each)
    const view = await ofBackup(client.backup.import(untilAborted(context, backup), unlock, { onProgress }))
    progress.clear()
    const { accountId, deviceId, membership } = client.account()
    context.output.result(
      { account_id: accountId, new_home: false, ...importRecord(view), device_id: deviceId, membership },
      importText(view),
    )
    noteSkipped(context.output, view)
  })
}

/** The account in the home, where there is one. */
async function clientThatIs(context: Context): Promise<Client | undefined> {
  try {
    return await openedClient(context)
  } catch (error) {
    if (failureOf(error).code === 'no-account') return undefined
    throw error
  }
}

/** What opens the backup is another thing than what opens the home, and is told as such. */
async function ofBackup<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    if (!(cause instanceof ClientError && (cause.code === 'wrong-passphrase' || cause.code === 'bad-unlock'))) throw cause
    throw new CliError('wrong-backup-passphrase', cause.message, { cause })
  }
}

/** The same parts; Ctrl-C ends them, and with them what takes them. */
async function* untilAborted({ signal }: Context, parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    if (signal.aborted) throw new CliError('interrupted', 'Interrupted.')
    yield part
  }
}

async function newPassphrase(context: Context, options: OptionValues): Promise<Unlock> {
  const questions = ['Passphrase for the backup (not shown while you type): ', 'The same once more: ']
  const [passphrase, again] = await passphrases(context, options, questions)
  if (again !== undefined && again !== passphrase)
    throw new CliError('bad-passphrase', 'The two passphrases are not the same. Nothing was written.')
  return { passphrase: passphrase! }
}

async function givenPassphrase(context: Context, options: OptionValues): Promise<Unlock> {
  const [passphrase] = await passphrases(context, options, ['Passphrase of the backup (not shown while you type): '])
  return { passphrase: passphrase! }
}

/** The passphrase of the file that is named, or the answers of a person. */
async function passphrases(context: Context, options: OptionValues, questions: readonly string[]): Promise<readonly string[]> {
  const path = options.backupPassphraseFile as string | undefined
  if (path !== undefined) return [readPassphrase(path).passphrase]
  if (!isPersonThere()) throw new CliError('backup-passphrase-needed', 'A passphrase locks the backup.')
  const answers = await readHiddenLines(questions, context.signal)
  if (answers[0] === '') throw new CliError('bad-passphrase', 'A passphrase has at least one character.')
  return answers
}

/** How far it is, on a terminal only: lines in a log would say nothing. */
class Progress {
  readonly #line: ProgressLine | undefined

  constructor(context: Context) {
    this.#line = isPersonThere() && !context.output.json ? new ProgressLine(context) : undefined
  }

  show({ step, done, total }: BackupProgress): void {
    this.#line?.show(
      `${step}: ${total === 0 ? 100 : Math.min(100, Math.floor((100 * done) / total))}% of ${counted(total, 'message')}`,
    )
  }

  clear(): void {
    this.#line?.clear()
  }
}

function importRecord({ createdAtMs, messages, added, conversations, skipped }: ImportView) {
  return { messages, added, conversations, skipped, exported_at: createdAtMs }
}

function importText({ messages, added, createdAtMs }: ImportView): string {
  const of = `${counted(messages, 'message')} of ${localTime(createdAtMs)}`
  return added === messages ? `Imported ${of}.` : `Read ${of}. New here: ${added}.`
}

function noteSkipped(output: Output, { skipped }: ImportView): void {
  if (skipped === 0) return
  output.note(`note: ${counted(skipped, 'record')} of a later version cannot be shown by this one. Keep the backup.`)
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
