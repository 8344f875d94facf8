/** Events between front ends, over a real cluster. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@session-v2/crypto'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { generate } from 'selfsigned'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openLog } from '../../src/log.ts'
import { systemTimers, type Timers } from '../../src/ports.ts'
import { decodeMessage, encodeEvent, encodeMessage, MESSAGE_MAX_EVENTS } from '../../src/store/redis/event-messages.ts'
import { EVENTS_WAITING_MAX, openRedisEvents, type RedisEvents, SIGN_MS } from '../../src/store/redis/redis-events.ts'
import type { MessageStore } from '../../src/store/store.ts'
import type { StoreEvent } from '../../src/store/store-events.ts'
import { ManualClock } from '../manual-clock.ts'
import { account, asked, hashOf, message } from '../message-store-contract-parts.ts'
import { hasRedis, type RedisCluster, startCluster, until } from './redis-cluster.ts'
import { newPrefix, openFrontEnd } from './redis-front-ends.ts'

/** Signs of life come when told; everything else is the system's. */
class SignTimers implements Timers {
  sign = (): void => {}
  after(delayMs: number, run: () => void): () => void {
    if (delayMs !== SIGN_MS) return systemTimers.after(delayMs, run)
    this.sign = run
    return () => {}
  }
  soon(run: () => void): void {
    systemTimers.soon(run)
  }
}

/** A front end: its store, which counts what is read from it, its events, and what it was told. */
class FrontEnd {
  readonly timers = new SignTimers()
  readonly told: StoreEvent[] = []
  readonly store: MessageStore
  events!: RedisEvents
  namesRead = 0

  private constructor(store: MessageStore) {
    this.store = store
  }

  static async open(of: RedisCluster, clock: ManualClock, keyPrefix: string, awaited: readonly Uint8Array[]): Promise<FrontEnd> {
    const front = new FrontEnd(await openFrontEnd(of, clock, keyPrefix))
    const config = { kind: 'redis' as const, nodes: of.addresses, acknowledgeReplicas: 0, keyPrefix }
    const items: MessageStore['items'] = (names, budgetBytes) => {
      front.namesRead += names.length
      return front.store.items(names, budgetBytes)
    }
    const ports = { timers: front.timers, random: systemRandom(), log: openLog({ level: 'silent' }) }
    front.events = await openRedisEvents(config, { items }, ports)
    front.events.listen(
      event => front.told.push(event),
      one => awaited.some(other => Buffer.from(other).equals(one)),
    )
    fronts.push(front)
    return front
  }

  async put(clock: ManualClock, name: string, n = 1): Promise<void> {
    const one = message(clock.ms, name, { account: account(n) })
    await this.store.store(one, false, asked(clock.ms))
    this.events.publish({ kind: 'stored', message: one })
  }

  get hashes(): string[] {
    return this.told.map(event => (event.kind === 'stored' ? event.message.hash.replace(/A+$/, '') : event.kind))
  }

  async close(): Promise<void> {
    await this.events.close()
    await this.store.close()
  }
}

let cluster: RedisCluster
const fronts: FrontEnd[] = []

async function openTwo(of: RedisCluster) {
  const clock = new ManualClock()
  clock.ms = Math.max(clock.ms, Date.now())
  const prefix = newPrefix()
  const [a, b] = [
    await FrontEnd.open(of, clock, prefix, [account(1)]),
    await FrontEnd.open(of, clock, prefix, [account(1), account(2)]),
  ]
  return { clock, prefix, channel: `${prefix}{events}`, a, b }
}

/** Whatever was sent before has been told when this resolves: what comes last is a revocation. */
async function settle(from: FrontEnd, to: FrontEnd): Promise<void> {
  const revocations = () => to.told.filter(({ kind }) => kind === 'revoked').length
  const before = revocations()
  await until(async () => {
    from.events.publish({ kind: 'revoked', account: account(1) })
    return revocations() > before
  })
}

describe.skipIf(!hasRedis)('events of two front ends (NODE-146, NODE-147; needs redis-server)', () => {
  beforeAll(async () => {
    cluster = await startCluster(3, 1)
  })
  afterAll(() => cluster?.close())
  afterEach(async () => {
    for (const front of fronts.splice(0)) await front.close()
  })

  describe('told', telling)
  describe('not told', sparing)
  describe('as bytes', reading)
  describe('in trouble', troubled)
  describe('of a cluster that fails', failing)
  describe('of a cluster that is guarded', guarded)
})

function telling(): void {
  it('reach the other with their content, and their own listeners once', async () => {
    const { clock, a, b } = await openTwo(cluster)
    await b.put(clock, 'one')
    expect(b.hashes).toEqual(['one'])
    await until(async () => a.told.length > 0)
    const { hash, expiryMs, timestampMs, data } = message(clock.ms, 'one')
    const [first] = a.told as [StoreEvent & { kind: 'stored' }]
    expect({ ...first.message, data: Buffer.from(first.message.data), account: [...first.message.account] }).toMatchObject({
      account: [...account(1)],
      namespace: 0,
      hash,
      timestampMs,
      expiryMs,
      data: Buffer.from(data),
    })
    await a.put(clock, 'two')
    await until(async () => b.told.length > 1)
    await settle(b, a)
    await settle(a, b)
    expect(a.hashes.filter(name => name !== 'revoked')).toEqual(['one', 'two'])
    expect(b.hashes.filter(name => name !== 'revoked')).toEqual(['one', 'two'])
  })
  it('arrive in the order in which they happened, however many', async () => {
    const { clock, a, b } = await openTwo(cluster)
    const names = Array.from({ length: 300 }, (_, i) => `m${i}x`)
    for (const name of names) await b.put(clock, name)
    await until(async () => a.told.length >= names.length)
    expect(a.hashes).toEqual(names)
    expect(a.events.lost + b.events.lost).toBe(0)
  })
  it('that wait when a front end closes are sent', async () => {
    const { clock, a, b } = await openTwo(cluster)
    await b.put(clock, 'last')
    await b.close()
    await b.events.close()
    b.events.publish({ kind: 'revoked', account: account(1) })
    await until(async () => a.told.length > 0)
    expect(a.hashes).toEqual(['last'])
  })
}

function sparing(): void {
  it('for which nobody waits cost no reading', async () => {
    const { clock, a, b } = await openTwo(cluster)
    for (let i = 0; i < 50; i++) await b.put(clock, `m${i}x`, 2)
    await settle(b, a)
    expect([a.namesRead, a.hashes.filter(name => name !== 'revoked')]).toEqual([0, []])
    await a.put(clock, 'forb', 2)
    await until(async () => b.hashes.includes('forb'))
    expect(b.namesRead).toBe(1)
  })
  it('of messages that are gone by then stay unsaid', async () => {
    const { clock, a, b } = await openTwo(cluster)
    const one = message(clock.ms, 'gone')
    await b.store.store(one, false, asked(clock.ms))
    await b.store.delete(account(1), [hashOf('gone')], asked(clock.ms))
    b.events.publish({ kind: 'stored', message: one })
    await b.put(clock, 'there')
    await until(async () => a.told.length > 0)
    expect([a.hashes, a.namesRead]).toEqual([['there'], 2])
  })
  it('hold names alone: a reader of the cluster sees no content', async () => {
    const { clock, channel, b } = await openTwo(cluster)
    const spy = await listenAt(cluster, channel)
    await b.put(clock, 'named')
    await until(async () => spy.seen.some(bytes => bytes.length > 10))
    const seen = Buffer.concat(spy.seen)
    expect(seen.includes(hashOf('named'))).toBe(true)
    expect(seen.includes('content')).toBe(false)
    spy.close()
  })
}

function reading(): void {
  it('pass over messages that are none', async () => {
    const { clock, channel, a, b } = await openTwo(cluster)
    const stored = encodeEvent({ kind: 'stored', message: message(clock.ms, 'x') })
    const sender = systemRandom().bytes(9)
    const bad = [
      Buffer.alloc(0),
      Buffer.from('{}'),
      encodeMessage(sender, [stored]).subarray(0, -1),
      encodeMessage(sender, [stored, Buffer.of(7)]),
      Buffer.concat([Buffer.of(2), encodeMessage(sender, [stored]).subarray(1)]),
      encodeMessage(sender, [Buffer.concat([stored.subarray(0, -1), Buffer.of(0)])]),
      encodeMessage(sender, Array<Buffer>(MESSAGE_MAX_EVENTS + 1).fill(stored)),
      encodeMessage(sender, [stored]),
    ]
    const client = await masterOf(cluster, channel)
    for (const bytes of bad) await client.spublish(channel, bytes)
    await settle(b, a)
    expect([a.hashes.filter(name => name !== 'revoked'), a.namesRead]).toEqual([[], 1])
  })
  it('read what was written, and anything else is none', () => {
    const stored = fc.record({
      kind: fc.constant('stored' as const),
      account: fc.uint8Array({ minLength: 33, maxLength: 33 }),
      namespace: fc.integer({ min: -32_768, max: 32_767 }),
      hash: fc.stringMatching(/^[A-Za-z0-9+/]{43}$/),
    })
    const revoked = fc.record({ kind: fc.constant('revoked' as const), account: fc.uint8Array({ minLength: 33, maxLength: 33 }) })
    const sender = new Uint8Array(9).fill(4)
    fc.assert(
      fc.property(fc.array(fc.oneof(stored, revoked), { maxLength: 5 }), fc.nat(), (events, cut) => {
        const rest = { timestampMs: 0, expiryMs: 0, data: new Uint8Array() }
        const parts = events.map(event =>
          encodeEvent(event.kind === 'stored' ? { kind: 'stored', message: { ...event, ...rest } } : event),
        )
        const bytes = encodeMessage(sender, parts)
        const read = decodeMessage(bytes)!
        expect(read.events.map(event => ({ ...event, account: new Uint8Array(event.account) }))).toEqual(events)
        expect(read.sender).toEqual(Buffer.from(sender))
        const shorter = decodeMessage(bytes.subarray(0, cut % bytes.length))
        expect(shorter === undefined || shorter.events.length < events.length).toBe(true)
      }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), noise => void decodeMessage(Buffer.from(noise))))
  })
}

function troubled(): void {
  it('wait to be sent up to a bound; what comes beyond is lost, and nobody waits', async () => {
    const { a, b } = await openTwo(cluster)
    const more = 500
    for (let i = 0; i < EVENTS_WAITING_MAX + more; i++) b.events.publish({ kind: 'revoked', account: account(1) })
    expect(b.events.lost).toBe(more)
    await until(async () => a.told.length >= EVENTS_WAITING_MAX)
    expect([a.told.length, a.events.lost, b.events.lost]).toEqual([EVENTS_WAITING_MAX, 0, more])
  })
  it('are heard again by who has lost its connection, once it does not hear itself', async () => {
    const { clock, channel, a, b } = await openTwo(cluster)
    for (const { client } of [...cluster.masters, ...cluster.replicas]) await client.call('CLIENT', ['KILL', 'TYPE', 'pubsub'])
    expect(await subscribersOf(cluster, channel)).toBeLessThanOrEqual(2)
    await until(async () => {
      a.timers.sign()
      b.timers.sign()
      return (await subscribersOf(cluster, channel)) === 2
    })
    await b.put(clock, 'again')
    await until(async () => a.told.length > 0)
    expect(a.hashes).toEqual(['again'])
  })
  it('do not make a front end connect anew that has just done so, though nothing happens', async () => {
    const { channel, a, b } = await openTwo(cluster)
    const master = await masterOf(cluster, channel)
    const subscribers = async () =>
      String(await master.call('CLIENT', ['LIST', 'TYPE', 'pubsub']))
        .match(/^id=\d+/gm)!
        .sort()
    await b.close()
    await master.call('CLIENT', ['KILL', 'TYPE', 'pubsub'])
    await until(async () => {
      a.timers.sign()
      return (await subscribersOf(cluster, channel)) === 1
    })
    await settle(a, a)
    const before = await subscribers()
    for (let i = 0; i < 5; i++) {
      a.timers.sign()
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    expect(await subscribers()).toEqual(before)
  })
}

function failing(): void {
  it('survive the death of the master that carries them', async () => {
    const own = await startCluster(3, 1)
    try {
      const { clock, channel, a, b } = await openTwo(own)
      const slot = Number(await own.masters[0]!.client.cluster('KEYSLOT', channel))
      const dead = Math.floor((slot * 3) / 16_384)
      own.masters[dead]!.process.kill('SIGKILL')
      const startedMs = performance.now()
      for (let i = 0; i < 100; i++) b.events.publish({ kind: 'revoked', account: account(1) })
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      const heir = own.replicas[dead]!.client
      await until(async () => (await heir.info('replication')).includes('role:master'))
      await until(async () => (await heir.cluster('INFO')).includes('cluster_state:ok'))
      a.told.splice(0)
      let n = 0
      await until(async () => {
        a.timers.sign()
        b.timers.sign()
        await b.put(clock, `m${n++}x`)
        return a.hashes.some(name => name.startsWith('m'))
      })
      expect(new Set(a.hashes.filter(name => name.startsWith('m'))).size).toBe(
        a.hashes.filter(name => name.startsWith('m')).length,
      )
      await Promise.all([a.close(), b.close()])
    } finally {
      await own.close()
    }
  })
}

function guarded(): void {
  it('go over TLS where the cluster speaks it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'redis-tls-'))
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
    const files = { certificateFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
    writeFileSync(files.certificateFile, cert)
    writeFileSync(files.keyFile, key)
    const own = await startCluster(3, 0, [], files)
    const config = { kind: 'redis' as const, nodes: own.addresses, acknowledgeReplicas: 0, keyPrefix: 'tls:' }
    const ports = { timers: systemTimers, random: systemRandom(), log: openLog({ level: 'silent' }) }
    const open = () => openRedisEvents({ ...config, tls: { caFile: files.certificateFile } }, { items: async () => [] }, ports)
    const [a, b] = [await open(), await open()]
    try {
      const told: StoreEvent[] = []
      a.listen(event => told.push(event))
      b.publish({ kind: 'revoked', account: account(1) })
      await until(async () => told.length > 0)
      expect(told.map(({ kind }) => kind)).toEqual(['revoked'])
    } finally {
      await Promise.all([a.close(), b.close()])
      await own.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
  it('that the user of the cluster may not send or hear keep the front end from starting, with what to do', async () => {
    for (const { client } of [...cluster.masters, ...cluster.replicas])
      await client.acl('SETUSER', 'shut', 'on', 'nopass', '~*', '+@all', 'resetchannels')
    const config = {
      kind: 'redis' as const,
      nodes: cluster.addresses,
      acknowledgeReplicas: 0,
      keyPrefix: 'shut:',
      username: 'shut',
      // Any text is the password of a user that needs none.
      passwordFile: import.meta.filename,
    }
    const ports = { timers: systemTimers, random: systemRandom(), log: openLog({ level: 'silent' }) }
    const items = async () => []
    await expect(openRedisEvents(config, { items }, ports)).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringContaining('&<key_prefix>*'),
    })
    for (const { client } of [...cluster.masters, ...cluster.replicas]) await client.acl('SETUSER', 'shut', '&shut:*')
    const events = await openRedisEvents(config, { items }, ports)
    await events.close()
  })
}

async function masterOf(of: RedisCluster, channel: string): Promise<Redis> {
  const slot = Number(await of.masters[0]!.client.cluster('KEYSLOT', channel))
  return of.masters[Math.floor((slot * of.masters.length) / 16_384)]!.client
}

/** Subscribers at the master that has the channel. */
async function subscribersOf(of: RedisCluster, channel: string): Promise<number> {
  const counts = (await (await masterOf(of, channel)).pubsub('SHARDNUMSUB', channel)) as [string, number]
  return Number(counts[1])
}

/** Hears what goes over a channel. */
async function listenAt(of: RedisCluster, channel: string) {
  const { host, port } = (await masterOf(of, channel)).options
  const client = new Redis({ host: host!, port: port! })
  const seen: Buffer[] = []
  client.on('smessageBuffer', (_channel: Buffer, bytes: Buffer) => seen.push(bytes))
  await client.ssubscribe(channel)
  return { seen, close: () => client.disconnect() }
}
