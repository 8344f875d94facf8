import { loadVectors, loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { askerOf, providers } from './providers.ts'

const cases = (chapter: string, kind: string) => loadVectorsOfKind(chapter, kind).map(vector => [vector.in.name, vector] as const)
const ownOf = (chapter: string, field: string) =>
  loadVectors(chapter).flatMap(file => (file.in?.[field] === undefined ? [] : [[file.name, file] as const]))

const CODES: Record<string, string> = {
  malformed: 'bad_format',
  forged: 'bad_signature',
  'not-for-us': 'not_for_us',
  'no-key': 'not_for_us',
}

/** Twenty levels. */
const DEEP = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`)
const WRONG_EXTRAS: readonly unknown[] = [
  ...[5, 'i5e', true, [5], ['zi'], [['z']], [['z', 1, 2]], [[1, 'z']]],
  [
    ['z', 1],
    ['z', 1],
  ],
  ...[true, null, 0.5, 2 ** 53, [null], DEEP, { '\u0100': 1 }, '\ud800'].map(z => ({ z })),
  ...[{ d: 'i5e' }, { '\u0100': 1 }],
]

interface Row {
  readonly id: string
  readonly device_seed?: string
}

describe.each(providers.map(([name, crypto]) => [name, askerOf(crypto)] as const))('group messages (%s)', (_, ask) => {
  it.each(cases('device-group', 'device_group'))('%s, as recorded', (_name, { in: given, out }) => {
    const { root_seed, group_id } = given
    const { message } = out
    for (const { id, device_seed } of given.devices as Row[]) {
      if (device_seed === undefined) continue
      const { ok, out: opened } = ask('group_open', { root_seed, device_seeds: [device_seed], message })
      expect(ok).toBe(out.decrypts_for[id])
      expect(opened).toMatchObject({ ...out.payload, group_id, link_x25519: out.link_x25519 })
    }
    expect(ask('group_open', { root_seed, device_seeds: ['00'.repeat(32)], message }).error?.code).toBe('not_for_us')
    for (const [name, check] of Object.entries<{ kicked: boolean; entry?: string }>(out.kicked_check)) {
      const checked = ask('kicked_check', { root_seed, device_id: name === 'none' ? '00'.repeat(32) : name, message }).out
      // Of which device it is that was not removed is not recorded.
      if (name !== 'none') expect(checked).toEqual(check)
      else expect([checked.kicked, 'entry' in checked]).toEqual([check.kicked, 'entry' in check])
    }
    for (const { record, digest } of out.payload.devices) {
      if (record !== undefined) expect(ask('record_digest', { record }).out).toEqual({ digest })
    }
  })

  it.each(cases('device-group', 'device_group'))('%s, sealed anew', (_name, { in: given, out }) => {
    const made = ask('device_group', given).out
    const { message: _, trace: _trace, kicked_check, kicked_field, ...stable } = out
    expect(made).toMatchObject(stable)
    expect(made.kicked_field?.length).toBe(kicked_field?.length)
    // Entries depend on the ephemeral key, which is another one.
    const [entries, form] = [made.kicked_field?.match(/.{32}/g), expect.stringMatching(/^[0-9a-f]{32}$/)]
    const kicked = Object.entries<{ kicked: boolean; entry?: string }>(kicked_check).map(([name, { kicked, entry }]) => {
      const said = entry === undefined ? {} : { entry: kicked ? expect.toBeOneOf(entries) : form }
      return [name, { kicked, ...said }]
    })
    expect(made.kicked_check).toEqual(Object.fromEntries(kicked))
    const { message } = ask('group_seal', given).out
    const opened = ask('group_open', { root_seed: given.root_seed, device_seeds: [given.devices[0].device_seed], message })
    expect(opened.out).toMatchObject(out.payload)
  })

  it.each(cases('device-group', 'device_group_reject'))('%s', (_name, vector) => {
    for (const op of ['device_group_reject', 'group_open']) expect(ask(op, vector.in).error?.code).toBe(vector.out.error)
  })

  it.each(ownOf('device-group', 'message'))('%s', (_name, file) => {
    const { ok, out, error } = ask('group_open', file.in)
    expect(error?.code).toBe(file.failure === undefined ? undefined : CODES[file.failure])
    if (ok) expect(out).toMatchObject(file.out)
  })

  const judged = ownOf('device-group', 'message').filter(([, { failure }]) => failure === 'not-for-us' || failure === 'forged')
  it.each(judged)('%s: removed or not', (_name, file) => {
    const { out, error } = ask('kicked_check', file.in)
    const expected = file.failure === 'forged' ? { code: 'bad_signature' } : { kicked: file.out.kicked }
    expect(out ?? { code: error?.code }).toMatchObject(expected)
  })

  it.each(ownOf('device-group', 'record'))('%s', (_name, file) => {
    const { out, error } = ask('record_digest', file.in)
    expect(out ?? { code: error?.code }).toEqual(file.failure === undefined ? file.out : { code: 'bad_format' })
  })
})

describe('devices of a group message, as a request may give them', () => {
  const ask = askerOf(providers[1]![1])
  const [, { in: given }] = cases('device-group', 'device_group')[0]!

  it('in every state', () => {
    const rows = [0, 1, 3, 4].map((state, at) => ({ id: `${at}${at}`.repeat(32), state, kicked: 5 }))
    const extra = { e: '1:a', z: '693565', zz: 'li5ee' }
    const devices = [{ ...given.devices[0], state: 2, extra }, ...rows, { id: 'ff'.repeat(32), state: 3, left: 6 }]
    const { out } = ask('device_group', { ...given, devices, account_keys: [{ ...given.account_keys[0], rotated: null }] })
    expect(out.payload.devices).toMatchObject([
      { id: '22'.repeat(32), state: 3, kicked: 5 },
      { id: '33'.repeat(32), state: 4, kicked: 5 },
      { id: given.devices[0].id, state: 2, extra: { e: '313a61', z: '693565', zz: '6c69356565' } },
      { id: 'ff'.repeat(32), state: 3, kicked: 6 },
    ])
    expect(Object.keys(out.kicked_check)).toEqual(['33'.repeat(32), 'none'])
    expect(out.kicked_field).toHaveLength(2 * 64)
  })

  it('with further fields in any form, under their keys or in pairs', () => {
    const rows: [key: string, value: unknown, encoded: string][] = [
      ['a', -5, 'i-5e'],
      ['b', [1, ['x'], {}], 'li1el1:xedee'],
      ['c', { z: 1, '\u00e9': 'é', '10': [] }, 'd2:10le1:zi1e1:\u00e92:\u00c3\u00a9e'],
      ['e', '693565', 'i5e'],
      ['f', 'i5e', 'i5e'],
      ['g', '61', '1:a'],
      ['h', 'xyz', '3:xyz'],
      ['i', '', '0:'],
      ['j', 'ABC', '3:ABC'],
    ]
    const expected = Object.fromEntries(rows.map(([key, , encoded]) => [key, Buffer.from(encoded, 'latin1').toString('hex')]))
    const pairs = rows.map(([key, value]) => [key, value] as const)
    for (const extra of [Object.fromEntries(pairs), pairs]) {
      const { out } = ask('device_group', { ...given, devices: [{ ...given.devices[0], extra }] })
      expect(out.payload.devices[0].extra).toEqual(expected)
    }
    const unsaid = { state: null, extra: null, left: null, description: null, type: null, version: null }
    const [row] = ask('device_group', { ...given, devices: [{ ...given.devices[0], ...unsaid }] }).out.payload.devices
    expect(row).toMatchObject({ state: 2, extra: {}, description: '', type: '', version: [0, 0, 0] })
  })

  it('with integers of 64 bits as decimal texts, and texts with a byte order mark', () => {
    const said = { seqno: '9223372036854775807', timestamp: '-9223372036854775808', description: '\ufeffa', type: 'b'.repeat(99) }
    const gone = { id: '33'.repeat(32), state: 4, left: null, kicked: '9007199254740993' }
    const { payload } = ask('device_group', { ...given, devices: [{ ...given.devices[0], ...said }, gone] }).out
    expect(payload.devices).toMatchObject([{ id: gone.id, kicked: gone.kicked }, said])
  })
})

describe.each(providers.map(([name, crypto]) => [name, askerOf(crypto)] as const))('link requests (%s)', (_, ask) => {
  const LINK_SEED = loadVectorsOfKind('device-group', 'device_group')[0]!.in.account_keys[0].seed

  it.each(cases('device-link', 'link_request'))('%s, as recorded', (_name, { in: given, out }) => {
    const account_key_seeds = ['11'.repeat(32), LINK_SEED]
    const opened = ask('link_open', { root_seed: given.root_seed, account_key_seeds, message: out.message }).out
    const { E, kiss, ki, key, nonce } = out
    expect(opened).toMatchObject({ ...out.opened, indices: out.opened.sas.indices, E, kiss, ki, key, nonce })
    const outsider = { root_seed: given.root_seed, account_key_seeds: ['11'.repeat(32)], message: out.message }
    expect(ask('link_open', outsider).error?.code).toBe('not_for_us')
  })

  it.each(cases('device-link', 'link_request'))('%s, sealed anew', (_name, { in: given, out }) => {
    for (const op of ['link_request', 'link_build']) {
      const made = ask(op, { ...given, account_key_seeds: [LINK_SEED] }).out
      expect(made.message).toHaveLength(out.message.length)
      expect(made).toMatchObject({ plaintext: out.plaintext, indices: out.sas.indices, sas: out.sas })
      const { device, plaintext, digest, sas, prefix } = out.opened
      expect(made).toMatchObject({ device, digest, prefix, opened: { device, plaintext, digest, sas } })
      const { E, kiss, ki, opened } = made
      expect(ask('link_open', { root_seed: given.root_seed, account_key_seeds: [LINK_SEED], message: made.message }).out).toEqual(
        {
          ...opened,
          ...{ E, kiss, ki, prefix },
        },
      )
    }
  })

  it.each(ownOf('device-link', 'message'))('%s', (_name, file) => {
    const { out, error } = ask('link_open', file.in)
    expect(error?.code).toBe(file.failure === undefined ? undefined : CODES[file.failure])
    expect(out ?? {}).toMatchObject(file.out)
  })
})

describe('input about devices', () => {
  const ask = askerOf(providers[1]![1])
  const [, { in: group }] = cases('device-group', 'device_group')[0]!
  const [, { in: link }] = cases('device-link', 'link_request')[0]!
  const [device] = group.devices

  it.each([
    ['group_seal', { ...group, devices: [] }],
    ['group_seal', { ...group, devices: [{ ...device, state: 5 }] }],
    ['group_seal', { ...group, devices: [{ ...device, state: -1 }] }],
    ['group_seal', { ...group, devices: [{ ...device, state: 4 }] }],
    ['group_seal', { ...group, devices: [device, { id: 'ee'.repeat(32), state: 4, kicked: 0 }] }],
    ['group_seal', { ...group, devices: [{ ...device, id: 'ee' }] }],
    ...WRONG_EXTRAS.map(extra => ['group_seal', { ...group, devices: [{ ...device, extra }] }] as [string, object]),
    ['group_seal', { ...group, devices: [{ ...device, version: [1, 2] }] }],
    ['group_seal', { ...group, devices: [5] }],
    ['group_seal', { ...group, account_keys: [] }],
    ['group_seal', { ...group, account_keys: [{ ...group.account_keys[0], rotated: 5 }] }],
    ['group_seal', { ...group, account_keys: [{ ...group.account_keys[0], created: -5 }] }],
    ['group_seal', { ...group, group_id: '00' }],
    ['device_group', { ...group, devices: [{ id: 'ee'.repeat(32), state: 4, kicked: 5 }] }],
    ['group_open', { root_seed: group.root_seed, device_seeds: ['00'], message: '' }],
    ['kicked_check', { root_seed: group.root_seed, device_id: 'ee', message: '' }],
    ['record_digest', {}],
    ['link_build', { ...link, link_x25519: '00'.repeat(32) }],
    ['link_build', { ...link, device: [] }],
    ['link_open', { root_seed: group.root_seed, message: '' }],
  ])('%#: %s refuses it', (op, input) => expect(ask(op, input).error?.code).toBe('bad-input'))

  const anyJson = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(-1, 0, 2 ** 53, '', 'ee'.repeat(32), [], {}, null))
  const fieldNames = ['root_seed', 'group_id', 'devices', 'account_keys', 'device_seeds', 'message', 'record']
  const changed = <T extends object>(value: T) =>
    fc.tuple(fc.constantFrom(...Object.keys(value)), anyJson).map(([name, item]) => ({ ...value, [name]: item }))

  it('fuzz: one wrong field is answered, and never by accident', () => {
    const deviceRow = changed({ ...device, state: 2, kicked: 5, left: 6, extra: { z: 'i5e' } })
    const keyRow = changed({ ...group.account_keys[0], rotated: null })
    const input = fc
      .tuple(fc.array(deviceRow, { maxLength: 3 }), fc.array(keyRow, { maxLength: 2 }))
      .map(([devices, account_keys]) => ({
        ...group,
        devices: [device, ...devices],
        account_keys: [...group.account_keys, ...account_keys],
      }))
    const anyInput = fc.oneof(input, changed(group), fc.dictionary(fc.constantFrom(...fieldNames), anyJson))
    const operations = fc.constantFrom('group_seal', 'group_open', 'device_group', 'kicked_check', 'record_digest', 'link_open')
    fc.assert(
      fc.property(operations, anyInput, (op, given) => {
        expect(ask(op, given).error?.code).not.toBe('internal')
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 500) },
    )
  })

  it('fuzz: a wrong field of a device that asks is answered', () => {
    const input = fc.oneof(
      changed(link),
      changed(link.device as object).map(row => ({ ...link, device: row })),
    )
    fc.assert(
      fc.property(input, given => {
        expect(ask('link_build', given).error?.code).not.toBe('internal')
      }),
      { numRuns: 50 },
    )
  })
})
