/**
 * The vectors of our own are what their generators make, byte for byte. To write them after a change of a generator:
 * `WRITE_VECTORS=1 npx vitest run vectors/test`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { loadCrypto } from '@session-v2/crypto'
import { describe, expect, it } from 'vitest'
import { accountKeysCases } from './generate/account-keys.ts'
import type { Case } from './generate/case.ts'
import { configCases } from './generate/config.ts'
import { contentCases } from './generate/content.ts'
import { deviceGroupCases } from './generate/device-group.ts'
import { deviceKeysCases } from './generate/device-keys.ts'
import { deviceLinkCases } from './generate/device-link.ts'
import { deviceStatesCases } from './generate/device-states.ts'
import { encodingCases } from './generate/encoding.ts'
import { historyTransferCases } from './generate/history-transfer.ts'
import { messageV1Cases } from './generate/message-v1.ts'
import { messageV2Cases } from './generate/message-v2.ts'
import { namespaceAndSwarmCases } from './generate/namespace-and-swarm.ts'
import { onionRequestCases } from './generate/onion-request.ts'
import { storageRpcCases } from './generate/storage-rpc.ts'

const crypto = await loadCrypto({ provider: 'wasm' })

describe.each([
  ['message-v1', messageV1Cases(crypto)],
  ['message-v2', messageV2Cases(crypto)],
  ['account-keys', accountKeysCases(crypto)],
  ['content', contentCases()],
  ['config', configCases(crypto)],
  ['device-keys', deviceKeysCases(crypto)],
  ['device-group', deviceGroupCases(crypto)],
  ['device-link', deviceLinkCases(crypto)],
  ['device-states', deviceStatesCases()],
  ['encoding', encodingCases()],
  ['history-transfer', historyTransferCases(crypto)],
  ['namespace-and-swarm', namespaceAndSwarmCases()],
  ['onion-request', onionRequestCases()],
  ['storage-rpc', storageRpcCases()],
])('%s', (_, cases) => {
  it.each(cases.map(one => [one.name, one] as const))('%s', (_name, one) => {
    const file = new URL(`../${one.chapter}/${one.name}.json`, import.meta.url)
    const text = textOf(one)
    if (process.env.WRITE_VECTORS === '1') writeFileSync(file, text)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('gives every case a name of its own', () => {
    expect(new Set(cases.map(one => one.name)).size).toBe(cases.length)
  })
})

function textOf(one: Case): string {
  return `${JSON.stringify(one, null, 2)}\n`
}
