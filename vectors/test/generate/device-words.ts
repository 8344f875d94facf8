/** Few words for what a device reads, does and holds, for the cases of merging. */
import type { KeyOut, Op, RowOut } from './device-merging.ts'

export const SELF = '00'.repeat(32)
export const PHONE = '11'.repeat(32)
export const LAPTOP = '22'.repeat(32)
export const A = 'aa'.repeat(32)
export const B = 'bb'.repeat(32)
export const GREATEST = Number.MAX_SAFE_INTEGER
/** Digests, in their order. */
export const NONE = '0000000000000000'
export const LOW = '7fffffffffffffff'
export const HIGH = '8000000000000000'
export const ALL = 'ffffffffffffffff'

export type Row = readonly [
  name: string,
  clause: string,
  reason: string,
  ops: readonly Op[],
  rows: readonly RowOut[],
  keys?: readonly KeyOut[],
]

/** A member, a device that left and one that was removed, as a message lists them. */
export const member = (seqno: number, digest: string, desc = '', id = PHONE) => ({ id, state: 2, seqno, digest, desc })
export const left = (kicked: number, id = PHONE) => ({ id, state: 3, kicked })
export const kicked = (kicked: number, id = PHONE) => ({ id, state: 4, kicked })
export const read = (...devices: NonNullable<Op['devices']>): Op => ({ op: 'msg', devices })
export const readAt = (now: number, ...devices: NonNullable<Op['devices']>): Op => ({ op: 'msg', now, devices })
export const own = (state: number, seqno: number): Op => ({ op: 'self', state, seqno })
export const link = (seqno: number, digest: string, id = PHONE): Op => ({ op: 'link', id, seqno, digest })
export const accept = (id = PHONE): Op => ({ op: 'accept', id })
export const remove = (now: number, seed: string, id = PHONE): Op => ({ op: 'remove', id, now, seed })

export const row = (state: number, seqno: number, digest: string | null, words: Partial<RowOut> = {}): RowOut => ({
  ...{ id: PHONE, state, seqno, desc: '', kicked: null, broadcast_needed: 0, digest, ...words },
})
export const marked = { broadcast_needed: 1 } as const
