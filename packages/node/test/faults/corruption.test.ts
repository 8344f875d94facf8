/** Pages of one member's database hold junk: it finds out, puts the database aside, and is filled by the others. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { damageAllPages, damagePageOf } from './damage.ts'
import { FaultSwarm, until } from './fault-swarm.ts'
import { Load } from './load.ts'
import type { Exit, NodeProcess } from './node-process.ts'

const KILOBYTE = 1_024
let swarm: FaultSwarm
let load: Load
let member: NodeProcess

beforeAll(async () => {
  swarm = await FaultSwarm.start({ members: 3 })
  member = swarm.members[1]!
}, 120_000)
afterAll(async () => {
  load?.close()
  await swarm?.close()
})

/** Starts it again when it ends by itself with a status other than 0, as `Restart=on-failure` does; resolves once it did. */
async function restartedOnFailure(): Promise<Exit> {
  const exit = await member.exit
  if (exit.code !== 0) await member.start()
  return exit
}

const putAside = () => readdirSync(member.dataDirectory).filter(name => /\.damaged-\d+$/.test(name))

async function comesBack(name: string, during: () => Promise<void>): Promise<void> {
  const logged = member.log().length
  const restarted = restartedOnFailure()
  await during()
  await load.ledger.settles(name, () => swarm.urls)
  expect(await restarted).toEqual({ code: 1, signal: null })
  const log = member.log().slice(logged)
  expect(log).toContain('the database is damaged: the node ends')
  expect(log).toContain('the damaged database was put aside')
  await until(() => member.log().slice(logged).includes('this node holds what its swarm holds'), 'it is not filled')
  expect(putAside()).toHaveLength(1)
}

describe('a damaged database (NODE-28, NODE-96)', () => {
  it('with one damaged page since it was stopped is put aside when the page is read', { timeout: 600_000 }, async () => {
    load = await Load.of(20)
    await load.run({ messages: 1_500, deleted: 100, changed: 100, urls: () => swarm.urls })
    expect(await member.stop()).toEqual({ code: 0, signal: null })
    damagePageOf(member.databaseFile, load.ledger.kept()[0]!.hash)
    await member.start()
    await comesBack('a damaged page of a member that was stopped', () => load.run({ messages: 500, urls: () => swarm.urls }))
  })
  it('that is damaged while the node runs is put aside too', { timeout: 600_000 }, async () => {
    // More than SQLite keeps in memory.
    const shares = { payloadBytes: 24 * KILOBYTE, urls: () => swarm.urls }
    await load.run({ ...shares, messages: 800 })
    await comesBack('damaged pages of a member that runs', async () => {
      damageAllPages(member.databaseFile)
      await load.run({ ...shares, messages: 200, deleted: 50 })
    })
  })
})
