/** What checkers look at: a stage that has healed, and who took part. */
import { Secret } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  type AccountId,
  type AccountKeySeed,
  accountFromSeed,
  accountIdBytes,
  type Content,
  decodeContent,
  emptyKeyring,
  keyringOfSeeds,
  openMessage,
  seedFromRecoveryPassword,
  wipeAccount,
} from '@session-v2/protocol'
import type { Device } from '../device.ts'
import { mainGroup, type Person } from '../person.ts'
import type { Stage } from '../stage.ts'

export interface Healed {
  readonly stage: Stage
  readonly present: ReadonlyMap<Person, readonly Device[]>
}

/** Looks at a healed stage and reports what goes against one promise. */
export interface Checker {
  readonly name: string
  check(healed: Healed): Promise<void>
}

/** The devices that took part and are members of the group their person takes for the right one. */
export function membersOf({ present }: Healed, person: Person): readonly Device[] {
  return mainGroup(present.get(person) ?? [])?.members ?? []
}

/** A message of a swarm, opened by whoever has every key there ever was. */
export interface OpenedPayload {
  readonly payload: Uint8Array
  readonly content: Content
  /** When the account key was created that it is sealed to; undefined for one without forward secrecy. */
  readonly keyCreatedAtS: number | undefined
}

/** Opens a payload with account keys given by their seeds; undefined when none of them opens it. */
export function opener(stage: Stage, person: Person, keys: readonly { readonly seed: string; readonly createdAtS: number }[]) {
  const { crypto } = stage
  const account = accountFromSeed(crypto, seedFromRecoveryPassword(person.recoveryPassword))
  const seeds: AccountKeySeed[] = keys.map(({ seed, createdAtS }, i) => {
    const secret = Secret.of(decodeHex(seed), 'account-key-seed' as const)
    return i === 0 ? { seed: secret, createdAtS } : { seed: secret, createdAtS, rotatedAtS: createdAtS }
  })
  const keyring = keyringOfSeeds(crypto, seeds, emptyKeyring)
  return {
    open(payload: Uint8Array): OpenedPayload | undefined {
      const opened = openMessage(crypto, account, keyring, payload)
      if (opened.outcome !== 'opened') return undefined
      const keyCreatedAtS = opened.version === 'v1' ? undefined : opened.keyCreatedAtS
      return { payload, content: decodeContent(opened.content), keyCreatedAtS }
    },
    close: () => wipeAccount(account),
  }
}

/** Everything that the swarm of a person holds of messages, each once, by its text. */
export async function swarmTexts(stage: Stage, person: Person): Promise<ReadonlyMap<string, OpenedPayload>> {
  const { open, close } = opener(stage, person, stage.keys.accountKeysOf(person))
  const texts = new Map<string, OpenedPayload>()
  const seen = new Set<string>()
  for (const payload of await payloadsOf(stage, person, NAMESPACE.messages)) {
    const name = Buffer.from(payload).toString('base64')
    if (seen.has(name)) continue
    seen.add(name)
    const opened = open(payload)
    const body = opened?.content.dataMessage?.body
    if (opened !== undefined && body !== undefined) texts.set(body, opened)
  }
  close()
  return texts
}

/** What all nodes hold in a mailbox. */
export async function payloadsOf(stage: Stage, person: Person, namespace: number): Promise<Uint8Array[]> {
  const account = accountIdBytes(person.accountId as AccountId)
  const held = await Promise.all(stage.nodes.map(node => node.mailbox(account, namespace)))
  return held.flat()
}
