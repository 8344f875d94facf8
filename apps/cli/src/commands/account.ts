/**
 * `account create | restore | show | recovery-password`: the account that lives in the home.
 */
import { type AccountView, Client } from '@session-v2/client'
import { inTime, madeClient, openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { groupRecord } from '../devices/device-records.ts'
import { groupLine } from '../devices/device-text.ts'
import { isUnanswered, useWithNews } from '../devices/news.ts'
import { visibleText } from '../devices/own-request-text.ts'
import { typed } from '../shell-word.ts'
import { readAllInput, readHiddenLine } from '../terminal.ts'

export const createAccount: Run = async (context, _operands, options) => {
  const words = options.words === '25' ? 25 : 13
  const name = options.name as string
  await useClient(
    context,
    madeClient(context, common => Client.create({ ...common, name, words })),
    async client => {
      const account = client.account()
      const recoveryPassword = client.recoveryPassword()
      context.output.result(
        { account_id: account.accountId, recovery_password: recoveryPassword, device_id: account.deviceId },
        `Account of ${name}

  account id         ${account.accountId}
  recovery password  ${recoveryPassword}

Give the account id to those who shall write to you. Write the recovery password down and keep it from everyone:
whoever has it has the account, and without it a lost computer is a lost account.`,
      )
    },
  )
}

async function readWords(context: Context): Promise<string> {
  if (!process.stdin.isTTY) return readAllInput(context.signal)
  return readHiddenLine('Recovery password (not shown while you type): ', context.signal)
}

export const restoreAccount: Run = async (context, _operands, options) => {
  const recoveryPassword = await readWords(context)
  const name = options.name as string | undefined
  const restored = madeClient(context, common =>
    Client.restore({ ...common, recoveryPassword, ...(name !== undefined && { name }) }),
  )
  await useClient(context, restored, async client => {
    const { accountId, deviceId, membership } = client.account()
    const { groups } = client.devices.view()
    context.output.result(
      { account_id: accountId, device_id: deviceId, membership, groups: groups.map(groupRecord) },
      `Restored.\n\n  account id  ${accountId}\n  device      ${deviceId}\n\n${nextText(context, client)}`,
    )
  })
}

/** What a device that was just restored can do. */
export function nextText(context: Context, client: Client): string {
  const view = client.devices.view()
  const { membership } = view
  if (membership === 'GroupsVisible') return visibleText(context, view)
  if (membership === 'NoGroup') {
    const start = context.output.paint.cyan(typed(context.options, 'group', 'start'))
    return `No other device of the account is to be seen. To go on with this one alone:\n  ${start}`
  }
  const look = context.output.paint.cyan(typed(context.options, 'link', 'status'))
  return `The network did not answer, so it is not known which devices the account has. Look again with:\n  ${look}`
}

/** How long to wait for the network to say which group this device is of; the rest is known without. */
const SHOW_TIMEOUT_MS = 10_000

export const showAccount: Run = async context => {
  await useWithNews(context, openedClient(context), async client => {
    const { timeoutMs = SHOW_TIMEOUT_MS } = context.options
    try {
      await inTime({ ...context, options: { ...context.options, timeoutMs } }, client.sync())
    } catch (error) {
      if (!isUnanswered(error)) throw error
      context.output.note('The network does not answer: whether this device is still linked is not known.')
    }
    const { accountId, name, deviceId, membership, group } = client.account()
    context.output.result(
      { account_id: accountId, name, device_id: deviceId, membership, group: group?.id ?? null },
      [
        `account id  ${accountId}`,
        `name        ${name}`,
        `device      ${deviceId}`,
        `membership  ${MEMBERSHIPS[membership]}`,
        ...(group === undefined ? [] : [`group       ${groupLine(group, context.output.paint)}`]),
      ].join('\n'),
    )
  })
}

const MEMBERSHIPS: Readonly<Record<AccountView['membership'], string>> = {
  Unknown: 'not known',
  InGroup: 'linked: in the group of the account’s devices',
  NoGroup: 'in no group; none is to be seen',
  GroupsVisible: 'not linked with the other devices',
  Waiting: 'waits to be let in',
  Removed: 'removed by another device',
  CutOff: 'linked, but the group is gone from the network',
  Displaced: 'another device has taken its place',
}

export const showRecoveryPassword: Run = async context => {
  await useClient(context, openedClient(context), async client => {
    const recoveryPassword = client.recoveryPassword()
    context.output.result({ recovery_password: recoveryPassword }, recoveryPassword)
  })
}
