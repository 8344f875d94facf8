/**
 * `account create | restore | show | recovery-password`: the account that lives in the home.
 */
import { Client } from '@session-v2/client'
import { madeClient, openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
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
    const account = client.account()
    context.output.result(
      { account_id: account.accountId, device_id: account.deviceId, membership: account.membership, groups: [] },
      `Restored.\n\n  account id  ${account.accountId}`,
    )
  })
}

export const showAccount: Run = async context => {
  await useClient(context, openedClient(context), async client => {
    const account = client.account()
    context.output.result(
      {
        account_id: account.accountId,
        name: account.name,
        device_id: account.deviceId,
        membership: account.membership,
        group: account.group?.id ?? null,
      },
      `account id  ${account.accountId}\nname        ${account.name}`,
    )
  })
}

export const showRecoveryPassword: Run = async context => {
  await useClient(context, openedClient(context), async client => {
    const recoveryPassword = client.recoveryPassword()
    context.output.result({ recovery_password: recoveryPassword }, recoveryPassword)
  })
}
