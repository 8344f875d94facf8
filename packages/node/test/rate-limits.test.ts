import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS, LIMITS_WITHOUT_RATES, type LimitsConfig } from '../src/config/limits-config.ts'
import { partsOf } from '../src/http/request-guard.ts'
import { identityFromSeed } from '../src/identity.ts'
import { openLog } from '../src/log.ts'
import { composeNode } from '../src/node.ts'
import { Admission } from '../src/operations/admission.ts'
import { addressKey, TrustedProxies } from '../src/operations/client-address.ts'
import { NodeMetrics } from '../src/operations/metrics.ts'
import { TokenBuckets } from '../src/operations/token-bucket.ts'
import { systemTimers } from '../src/ports.ts'
import { ManualClock } from './manual-clock.ts'
import { post } from './network-under-test.ts'

const RATE = { burst: 10, perSecond: 5 }

describe('token buckets (NODE-100, NODE-101)', () => {
  it('start full, run empty, and fill with time, never beyond their burst', () => {
    const clock = new ManualClock()
    const buckets = new TokenBuckets(RATE, 100, clock)
    for (let i = 0; i < 10; i++) expect(buckets.take('a')).toBe(true)
    expect(buckets.take('a')).toBe(false)
    expect(buckets.take('b')).toBe(true)
    clock.ms += 200
    expect([buckets.take('a'), buckets.take('a')]).toEqual([true, false])
    clock.ms += 3_600_000
    for (let i = 0; i < 10; i++) expect(buckets.take('a')).toBe(true)
    expect(buckets.take('a')).toBe(false)
  })
  it('take all of a cost or nothing, and of a cost above the burst a whole burst', () => {
    const clock = new ManualClock()
    const buckets = new TokenBuckets(RATE, 100, clock)
    expect([buckets.take('a', 7), buckets.take('a', 4), buckets.take('a', 3)]).toEqual([true, false, true])
    expect([buckets.take('b', 99), buckets.take('b')]).toEqual([true, false])
    expect([buckets.take('c', 1), buckets.take('c', 99)]).toEqual([true, false])
  })
  it('give back, but not beyond the burst', () => {
    const buckets = new TokenBuckets(RATE, 100, new ManualClock())
    buckets.take('a', 10)
    buckets.giveBack('a')
    expect([buckets.take('a'), buckets.take('a')]).toEqual([true, false])
    buckets.giveBack('a', 1e9)
    expect([buckets.take('a', 10), buckets.take('a')]).toEqual([true, false])
    buckets.giveBack('unknown')
    expect(buckets.tracked).toBe(1)
  })
})

describe('many token buckets (NODE-101)', () => {
  it('keep nobody out when the table is full: known and new keys alike are served', () => {
    const clock = new ManualClock()
    const buckets = new TokenBuckets(RATE, 100, clock)
    let refused = 0
    for (let i = 0; i < 20_000; i++) {
      if (!buckets.take(`new ${i}`, 5)) refused++
      if (i % 50 > 0) continue
      clock.ms += 200
      if (!buckets.take('known')) refused++
    }
    expect(refused).toBe(0)
    expect(buckets.tracked).toBe(100)
  })
  it('forget those that time has filled', () => {
    const clock = new ManualClock()
    const buckets = new TokenBuckets(RATE, 100, clock)
    for (let i = 0; i < 50; i++) buckets.take(`${i}`)
    clock.ms += 60_000
    for (let i = 50; i < 100; i++) buckets.take(`${i}`)
    expect(buckets.tracked).toBe(50)
  })
  it('are no limit with a burst of 0, and add nothing while a clock goes back', () => {
    const clock = new ManualClock()
    const none = new TokenBuckets({ burst: 0, perSecond: 0 }, 1, clock)
    for (let i = 0; i < 1000; i++) expect(none.take('a', 1000)).toBe(true)
    expect([none.has('a'), none.tracked]).toEqual([true, 0])
    const buckets = new TokenBuckets(RATE, 100, clock)
    buckets.take('a', 10)
    clock.ms -= 3_600_000
    expect([buckets.take('a'), buckets.has('a')]).toEqual([false, false])
  })
  it('never let through more than burst and refill', () => {
    const steps = fc.array(fc.tuple(fc.nat(2000), fc.integer({ min: 1, max: 12 })), { maxLength: 200 })
    fc.assert(
      fc.property(steps, list => {
        const clock = new ManualClock()
        const startMs = clock.ms
        const buckets = new TokenBuckets(RATE, 3, clock)
        let taken = 0
        for (const [waitMs, cost] of list) {
          clock.ms += waitMs
          if (buckets.take('a', cost)) taken += Math.min(cost, RATE.burst)
        }
        expect(taken).toBeLessThanOrEqual(RATE.burst + ((clock.ms - startMs) * RATE.perSecond) / 1000 + 1e-6)
      }),
    )
  })
})

describe('client addresses (NODE-100, NODE-103)', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    [undefined, 'unknown'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key)
  })
  it.each([
    ['no proxies', [], '10.0.0.1', '192.0.2.1', '10.0.0.1'],
    ['a stranger’s word', ['10.0.0.0/8'], '192.0.2.9', '192.0.2.1', '192.0.2.9'],
    ['a proxy’s word', ['10.0.0.0/8'], '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['what the client wrote left of it', ['10.0.0.0/8'], '10.0.0.1', '1.1.1.1, 192.0.2.1', '192.0.2.1'],
    ['two proxies', ['10.0.0.0/8'], '10.0.0.1', '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['several fields', ['10.0.0.0/8'], '10.0.0.1', ['1.1.1.1', '192.0.2.1'], '192.0.2.1'],
    ['no address', ['10.0.0.0/8'], '10.0.0.1', 'unknown', '10.0.0.1'],
    ['an empty field', ['10.0.0.0/8'], '10.0.0.1', '', '10.0.0.1'],
    ['a mapped proxy', ['10.0.0.1'], '::ffff:10.0.0.1', '2001:db8::1', '2001:db8::1'],
    ['a proxy over IPv6', ['fd00::/8'], 'fd00::1', '192.0.2.1', '192.0.2.1'],
    ['no field', ['10.0.0.0/8'], '10.0.0.1', undefined, '10.0.0.1'],
  ])('behind a proxy: %s', (_, proxies, remote, forwarded, client) => {
    expect(new TrustedProxies(proxies).clientOf(remote, forwarded)).toBe(client)
  })
})

const ALICE = `05${'aa'.repeat(32)}`
const PEER = 'ab'.repeat(32)
const BOB = `05${'bb'.repeat(32)}`

/** One node of a swarm of two; the other one is not there. */
async function serve(limits: Partial<LimitsConfig>) {
  const crypto = await loadCrypto()
  const clock = new ManualClock()
  const directory = mkdtempSync(join(tmpdir(), 'rate-limits-'))
  const node = await composeNode({
    host: '127.0.0.1',
    port: 0,
    databaseFile: join(directory, 'messages.db'),
    databaseLimitBytes: 1e8,
    bodyTimeoutMs: 1000,
    corsOrigins: 'none',
    limits: { ...LIMITS_WITHOUT_RATES, ...limits },
    crypto,
    identity: identityFromSeed(crypto, systemRandom().bytes(32)),
    clock,
    monotonic: clock,
    timers: systemTimers,
    log: openLog({ level: 'silent' }),
  })
  const place = { x25519: node.x25519, host: '127.0.0.1', protocol: 'http', swarmId: 1n } as const
  const { url, close } = node.join([
    { ...place, ed25519: node.ed25519, port: node.port },
    { ...place, ed25519: PEER, port: 1 },
  ])
  const ask = async (request: object, headers = {}) =>
    (await post(`${url}/storage_rpc/v1`, JSON.stringify(request), headers)).status
  const stop = async () => {
    await close()
    rmSync(directory, { recursive: true })
  }
  return { clock, url, ask, stop }
}

const info = { method: 'info', params: {} }
const batchOf = (...requests: object[]) => ({ method: 'batch', params: { requests } })
const retrieve = (pubkey: string) => ({ method: 'retrieve', params: { pubkey, namespace: -10 } })
const forgedRetrieve = (pubkey: string, timestamp = 1_800_000_000_000) => ({
  method: 'retrieve',
  params: { pubkey, timestamp, signature: `${'A'.repeat(86)}==`, pubkey_ed25519: 'cc'.repeat(32) },
})

describe('a client that asks too often', () => {
  it('is 429 without a text, until its bucket fills again, and keeps its connection (NODE-100)', async () => {
    const { ask, clock, url, stop } = await serve({ address: { burst: 3, perSecond: 1 } })
    expect([await ask(info), await ask(info), await ask(info), await ask(info)]).toEqual([200, 200, 200, 429])
    const refused = await post(`${url}/storage_rpc/v1`, '{}')
    expect(refused).toMatchObject({ status: 429, body: '' })
    expect(refused.headers.get('connection')).toBe('keep-alive')
    clock.ms += 1000
    expect([await ask(info), await ask(info)]).toEqual([200, 429])
    await stop()
  })
  it('pays for each part of a batch (NODE-101)', async () => {
    const { ask, clock, stop } = await serve({ address: { burst: 10, perSecond: 1 } })
    expect(await ask(batchOf(info, info, info, info, info, info))).toBe(200)
    expect(await ask(batchOf(info, info, info, info, info))).toBe(429)
    clock.ms += 100_000
    expect(await ask(batchOf(...Array(20).fill(info)))).toBe(429)
    clock.ms += 100_000
    expect(await ask(batchOf(...Array(10).fill(info)))).toBe(200)
    expect(await ask(info)).toBe(429)
    await stop()
  })
  it('is told apart behind a trusted proxy only (NODE-103)', async () => {
    const address = { burst: 1, perSecond: 1 }
    const proxied = await serve({ address, trustedProxies: ['127.0.0.0/8'] })
    const from = (client: string) => proxied.ask(info, { 'x-forwarded-for': client })
    expect([await from('192.0.2.1'), await from('192.0.2.2'), await from('192.0.2.1')]).toEqual([200, 200, 429])
    await proxied.stop()
    const direct = await serve({ address })
    const lying = (client: string) => direct.ask(info, { 'x-forwarded-for': client })
    expect([await lying('192.0.2.1'), await lying('192.0.2.2')]).toEqual([200, 429])
    await direct.stop()
  })
  it('exhausts what is open of an account, and neither another one nor what its owner signs (NODE-102)', async () => {
    const { ask, stop } = await serve({ account: { burst: 2, perSecond: 1 } })
    expect([await ask(retrieve(ALICE)), await ask(retrieve(ALICE)), await ask(retrieve(ALICE))]).toEqual([200, 200, 429])
    expect(await ask(retrieve(BOB))).toBe(200)
    // What is not signed by the owner is given back each time: nobody uses up what is theirs.
    for (let i = 0; i < 5; i++) expect(await ask(forgedRetrieve(ALICE))).toBe(401)
    for (let i = 0; i < 5; i++) expect(await ask(batchOf(forgedRetrieve(ALICE), forgedRetrieve(ALICE)))).toBe(200)
    // So it is when its time alone was wrong, and nobody looked at the signature.
    for (let i = 0; i < 5; i++) expect(await ask(forgedRetrieve(ALICE, 1_700_000_000_000))).toBe(406)
    await stop()
  })
  it('is counted by account in a batch too (NODE-102)', async () => {
    const { ask, stop } = await serve({ account: { burst: 3, perSecond: 1 } })
    expect(await ask(batchOf(retrieve(ALICE), retrieve(ALICE), retrieve(BOB)))).toBe(200)
    expect(await ask(batchOf(retrieve(ALICE), retrieve(ALICE)))).toBe(429)
    await stop()
  })
  it('cannot use up a peer’s welcome, only its own by forging (NODE-100)', async () => {
    const { ask, url, stop } = await serve({ address: { burst: 2, perSecond: 1 } })
    const headers = { 'x-session-node': PEER, 'x-session-timestamp': '1800000000000', 'x-session-signature': 'AA==' }
    const forge = async () => (await post(`${url}/swarm_rpc/v1`, '{}', headers)).status
    expect([await ask(info), await ask(info), await ask(info)]).toEqual([200, 200, 429])
    expect([await forge(), await forge(), await forge()]).toEqual([403, 403, 429])
    await stop()
  })
})

describe('admission', () => {
  const parts = async (limits: Partial<LimitsConfig>, logAddresses = false) => ({
    limits: { ...DEFAULT_LIMITS, ...limits },
    clock: new ManualClock(),
    crypto: await loadCrypto(),
    random: systemRandom(),
    metrics: new NodeMetrics(),
    log: openLog({ level: 'silent' }),
    logAddresses,
  })

  it('gives a signed request back to its account when it was not the owner’s (NODE-102)', async () => {
    const admission = new Admission(await parts({ account: { burst: 2, perSecond: 1 } }))
    const account = new Uint8Array(33).fill(5)
    for (let i = 0; i < 10; i++) {
      expect(admission.account(account, true)).toBe(true)
      admission.giveBack(account)
    }
    expect([admission.account(account, true), admission.account(account, true), admission.account(account, true)]).toEqual([
      true,
      true,
      false,
    ])
  })
  it('has a bucket of its own for onion requests (NODE-100)', async () => {
    const admission = new Admission(await parts({ address: { burst: 1, perSecond: 1 }, relay: { burst: 2, perSecond: 1 } }))
    expect([admission.address('a'), admission.address('a')]).toEqual([true, false])
    expect([admission.relay('a'), admission.relay('a'), admission.relay('a')]).toEqual([true, true, false])
  })
  it('names addresses in the log only where that is asked for, and each once (NODE-70)', async () => {
    for (const [logAddresses, times] of [
      [false, 0],
      [true, 1],
    ] as const) {
      const lines: object[] = []
      const log = { info: (line: object) => lines.push(line) }
      const given = { ...(await parts({ address: { burst: 1, perSecond: 1 } }, logAddresses)), log } as never
      const admission = new Admission(given)
      for (let i = 0; i < 5; i++) admission.address('192.0.2.1')
      expect(lines).toEqual(Array(times).fill({ address: '192.0.2.1', limit: 'address' }))
    }
  })
})

describe('the parts of a request (NODE-101)', () => {
  const part = (method: string) => ({ method, params: {} })
  it.each([
    ['one', part('info'), 1],
    ['a batch', { method: 'batch', params: { requests: [part('info'), part('info')] } }, 2],
    ['an ifelse', { method: 'ifelse', params: { whenHolds: part('info'), otherwise: undefined } }, 1],
    [
      'the larger branch of an ifelse',
      {
        method: 'ifelse',
        params: { whenHolds: part('info'), otherwise: { method: 'batch', params: { requests: Array(7).fill(part('info')) } } },
      },
      7,
    ],
  ])('%s', (_, request, count) => {
    expect(partsOf(request as never)).toHaveLength(count)
  })
})

describe('what nobody can read (NODE-100)', () => {
  it('costs a token too', async () => {
    const { ask, stop } = await serve({ address: { burst: 2, perSecond: 1 } })
    expect([await ask([]), await ask({ method: 'store', params: 1 }), await ask(info)]).toEqual([400, 400, 429])
    await stop()
  })
})
