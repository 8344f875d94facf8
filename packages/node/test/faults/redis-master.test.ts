/** Two front ends of one node, processes over a cluster of Redis: a master of it gets SIGKILL while clients go on. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { hasRedis, type RedisCluster, startCluster, until } from '../redis/redis-cluster.ts'
import { QUICK, serves } from './fault-swarm.ts'
import { Load } from './load.ts'
import { NodeProcess } from './node-process.ts'

describe.skipIf(!hasRedis)('a master of Redis that dies under two front ends (NODE-144; needs redis-server)', () => {
  const directory = mkdtempSync(join(tmpdir(), 'redis-master-'))
  const frontEnds: NodeProcess[] = []
  let cluster: RedisCluster
  let load: Load

  beforeAll(async () => {
    cluster = await startCluster(3, 1)
    const nodes = JSON.stringify(cluster.addresses)
    const settings = `[store]\nkind = "redis"\nnodes = ${nodes}\nacknowledge_replicas = 1\n${QUICK}`
    const keyFile = join(directory, 'node.key')
    for (const name of ['one', 'two']) {
      frontEnds.push(await NodeProcess.create({ directory: join(directory, name), settings, keyFile }))
    }
    for (const frontEnd of frontEnds) {
      frontEnd.register([frontEnds[0]!.listed(1n)])
      await frontEnd.start()
      await serves(frontEnd)
    }
  }, 120_000)
  afterAll(async () => {
    load?.close()
    await Promise.all(frontEnds.map(frontEnd => frontEnd.kill()))
    await cluster?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it('takes nothing with it that was acknowledged', { timeout: 600_000 }, async () => {
    load = await Load.of(40)
    const urls = frontEnds.map(({ url }) => url)
    let failedOver: Promise<void> | undefined
    const progress = (acknowledged: number): void => {
      if (acknowledged >= 700) failedOver ??= failOver(cluster)
    }
    await load.run({ messages: 2_000, deleted: 200, changed: 100, urls: () => urls, progress })
    await failedOver
    await load.ledger.settles('a Redis master killed, two front ends', () => urls)
  })
})

async function failOver(cluster: RedisCluster): Promise<void> {
  const heir = cluster.replicas[0]!.client
  cluster.masters[0]!.process.kill('SIGKILL')
  await until(async () => (await heir.info('replication')).includes('role:master'))
  await until(async () => (await heir.cluster('INFO')).includes('cluster_state:ok'))
  await cluster.restart(cluster.masters[0]!)
}
