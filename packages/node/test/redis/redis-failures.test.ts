import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@session-v2/crypto'
import { generate } from 'selfsigned'
import { afterEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../../src/ports.ts'
import { openRedisStore } from '../../src/store/redis/redis-store.ts'
import { ManualClock } from '../manual-clock.ts'
import { account, asked, bytes, hashOf, message, OUTBOX } from '../message-store-contract-parts.ts'
import { hasRedis, type RedisCluster, startCluster } from './redis-cluster.ts'
import { newPrefix, openFrontEnd } from './redis-front-ends.ts'

const MIB = 1024 * 1024
const ports = { timers: systemTimers, random: systemRandom() }

function newClock(): ManualClock {
  const clock = new ManualClock()
  clock.ms = Math.max(clock.ms, Date.now())
  return clock
}

function config(nodes: readonly string[], parts = {}) {
  return { kind: 'redis' as const, nodes, acknowledgeReplicas: 0, keyPrefix: '', ...parts }
}

describe('settings of a store on Redis (NODE-140)', () => {
  it('are refused where they cannot be meant, with the one that is wrong', async () => {
    const clock = newClock()
    const open = (nodes: readonly string[], parts = {}) => openRedisStore(config(nodes, parts), { clock, ...ports })
    await expect(open(['nowhere'])).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining('nowhere') })
    await expect(open(['a:99999'])).rejects.toMatchObject({ code: 'bad-config' })
    await expect(open([])).rejects.toMatchObject({ code: 'bad-config' })
    await expect(open(['a:1'], { keyPrefix: 'x{y}' })).rejects.toMatchObject({ code: 'bad-config' })
    await expect(open(['a:1'], { passwordFile: '/nowhere/at/all' })).rejects.toMatchObject({ code: 'bad-config' })
  })
  it('name nodes, and one of them has to answer', async () => {
    const opened = openRedisStore(config(['127.0.0.1:1']), { clock: newClock(), ...ports })
    await expect(opened).rejects.toMatchObject({ code: 'store-failed', message: expect.stringContaining('127.0.0.1:1') })
  })
})

const clusters: RedisCluster[] = []
const start = async (settings: readonly string[] = []) => {
  const cluster = await startCluster(3, 0, settings)
  clusters.push(cluster)
  return cluster
}

describe.skipIf(!hasRedis)('a cluster of Redis that fails (NODE-144; needs redis-server)', () => {
  afterEach(async () => {
    for (const cluster of clusters.splice(0)) await cluster.close()
  })

  describe('or is full', filling)
  describe('or loses nodes', losing)
  describe('or is guarded', guarded)
})

function filling(): void {
  it('is refused when it would evict what was acknowledged, with what to do', async () => {
    const cluster = await start(['--maxmemory-policy', 'allkeys-lru'])
    await expect(openFrontEnd(cluster, newClock(), newPrefix())).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining('maxmemory-policy noeviction'),
    })
  })
  it('refuses what is new when it is full, and still serves, deletes, shortens and sweeps', async () => {
    const cluster = await start()
    const clock = newClock()
    const store = await openFrontEnd(cluster, clock, newPrefix())
    const stored: string[] = []
    const put = (i: number) => store.store(message(clock.ms, `m${i}.`, { data: new Uint8Array(70_000) }), false, asked(clock.ms))
    for (let i = 0; i < 20; i++) await put(i).then(() => stored.push(hashOf(`m${i}.`)))
    for (const { client } of cluster.masters) await client.config('SET', 'maxmemory', String(MIB))
    expect((await store.size()).limitBytes).toBe(3 * MIB)
    await expect(put(20)).rejects.toMatchObject({ code: 'store-full' })
    await expect(store.revoke(account(1), [bytes('t')], asked(clock.ms))).rejects.toMatchObject({ code: 'store-full' })
    await expect(store.queueDelivery('p', bytes('x'), clock.ms, 1)).rejects.toMatchObject({ code: 'store-full' })
    expect((await store.retrieve({ account: account(1), namespace: 0, budgetBytes: 1e9 })).messages).toHaveLength(20)
    expect(await store.delete(account(1), stored.slice(0, 5), asked(clock.ms, 'proof'))).toEqual(stored.slice(0, 5).sort())
    const shorter = await store.setExpiries(account(1), stored.slice(5, 7), [clock.ms + 9], 'shorten', asked(clock.ms, 'p'))
    expect(shorter.updated).toHaveLength(2)
    clock.ms += 10
    expect(await store.sweep()).toBe(2)
    expect(await store.count()).toBe(13)
    for (const { client } of cluster.masters) await client.config('SET', 'maxmemory', '0')
    expect((await put(20)).outcome).toBe('stored')
    await store.close()
  })
}

function losing(): void {
  it('is told as failed within seconds when a master is gone, with nothing in the error of what was asked', async () => {
    const cluster = await start()
    const clock = newClock()
    const store = await openFrontEnd(cluster, clock, newPrefix())
    for (const { process: child } of cluster.masters) child.kill('SIGKILL')
    const one = message(clock.ms, 'secret', { namespace: OUTBOX, data: bytes('payload') })
    const failures = await Promise.allSettled([
      store.store(one, true, asked(clock.ms)),
      store.retrieve({ account: account(1), namespace: 0, budgetBytes: 1 }),
      store.sums({ from: 0, to: 10 }, 1),
    ])
    for (const failure of failures) {
      const { reason } = failure as PromiseRejectedResult
      expect(reason).toMatchObject({ name: 'NodeError', code: 'store-failed' })
      const told = JSON.stringify([reason, reason.message, reason.cause, { ...reason.cause }, String(reason.cause)])
      for (const secret of ['secret', 'payload', Buffer.from(account(1)).toString('base64url')]) {
        expect(told).not.toContain(secret)
      }
    }
    await store.close()
  })
  it('does not acknowledge what fewer replicas took than configured', async () => {
    const cluster = await start()
    const clock = newClock()
    const store = await openFrontEnd(cluster, clock, newPrefix(), 1)
    const stored = store.store(message(clock.ms, 'a'), false, asked(clock.ms))
    await expect(stored).rejects.toMatchObject({ code: 'store-failed', message: expect.stringContaining('replicas') })
    await store.close()
  })
}

function guarded(): void {
  it('lets in who knows the password of the file, and nobody else', async () => {
    const cluster = await start()
    for (const { client } of cluster.masters) await client.config('SET', 'requirepass', 'open sesame')
    const directory = mkdtempSync(join(tmpdir(), 'redis-password-'))
    const open = (text: string) => {
      const passwordFile = join(directory, 'password')
      writeFileSync(passwordFile, text)
      return openRedisStore(config(cluster.addresses, { passwordFile }), { clock: newClock(), ...ports })
    }
    try {
      const store = await open('open sesame\n')
      expect(await store.count()).toBe(0)
      await store.close()
      const refused = await open('wrong').then(
        () => undefined,
        (error: Error) => error,
      )
      expect(refused).toMatchObject({ name: 'NodeError', code: 'store-failed' })
      expect(JSON.stringify([refused?.message, String(refused?.cause)])).not.toMatch(/sesame|wrong/)
      await expect(openRedisStore(config(cluster.addresses), { clock: newClock(), ...ports })).rejects.toMatchObject({
        code: 'store-failed',
      })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
  it('speaks TLS, and only to a cluster whose certificate the named authorities signed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'redis-tls-'))
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
    const caFile = join(directory, 'cert.pem')
    const keyFile = join(directory, 'key.pem')
    writeFileSync(caFile, cert)
    writeFileSync(keyFile, key)
    try {
      const cluster = await startCluster(3, 0, [], { certificateFile: caFile, keyFile })
      clusters.push(cluster)
      const store = await openRedisStore(config(cluster.addresses, { tls: { caFile } }), { clock: newClock(), ...ports })
      expect(await store.count()).toBe(0)
      await store.close()
      const open = (parts: object) => openRedisStore(config(cluster.addresses, parts), { clock: newClock(), ...ports })
      await expect(open({ tls: {} })).rejects.toMatchObject({ code: 'store-failed' })
      await expect(open({})).rejects.toMatchObject({ code: 'store-failed' })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
}
