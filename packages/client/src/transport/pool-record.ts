/**
 * The pool of paths as it lies in the store: without it a program that runs for seconds would choose new relays each time, and forget
 * whom it caught lying.
 */

import { decodeHex, encodeHex } from '@session-v2/encoding'
import { createPathPool, decodeGuards, encodeGuards, type PathPool, type ServiceNode, withNodes } from '@session-v2/network'

/** Times are milliseconds since the epoch by this device's clock, nodes their Ed25519 keys in hexadecimal. */
export interface PoolRecord {
  /** 32 bytes each, in hexadecimal. */
  readonly guards: string
  readonly paths: readonly { readonly serial: number; readonly hops: readonly string[]; readonly builtAtMs: number }[]
  readonly strikes: readonly { readonly node: string; readonly timesMs: readonly number[] }[]
  readonly dropped: readonly { readonly node: string; readonly untilMs: number }[]
  readonly nextSerial: number
}

/** A pool, and when each of its paths was built, by serial. */
export interface DatedPool {
  readonly pool: PathPool
  readonly builtAtMs: ReadonlyMap<number, number>
}

/** The record of a pool. */
export function encodePool({ pool, builtAtMs }: DatedPool): PoolRecord {
  return {
    guards: encodeHex(encodeGuards(pool)),
    paths: pool.paths.map(({ serial, hops }) => ({
      serial,
      hops: hops.map(({ ed25519 }) => ed25519),
      builtAtMs: builtAtMs.get(serial) ?? 0,
    })),
    strikes: [...pool.strikes].map(([node, timesMs]) => ({ node, timesMs })),
    dropped: [...pool.droppedUntilMs].map(([node, untilMs]) => ({ node, untilMs })),
    nextSerial: pool.nextSerial,
  }
}

/** The pool of a record among the nodes of today: paths that lost a node are gone. */
export function decodePool(record: PoolRecord, nodes: readonly ServiceNode[]): DatedPool {
  const byKey = new Map(nodes.map(node => [node.ed25519, node]))
  const whole = record.paths.flatMap(({ serial, hops }) => {
    const listed = hops.flatMap(ed25519 => byKey.get(ed25519) ?? [])
    return listed.length === hops.length ? [{ serial, hops: listed }] : []
  })
  const pool: PathPool = {
    ...createPathPool(nodes, decodeGuards(decodeHex(record.guards))),
    paths: whole,
    strikes: new Map(record.strikes.map(({ node, timesMs }) => [node, timesMs])),
    droppedUntilMs: new Map(record.dropped.map(({ node, untilMs }) => [node, untilMs])),
    nextSerial: record.nextSerial,
  }
  const builtAtMs = new Map(record.paths.map(path => [path.serial, path.builtAtMs]))
  return { pool: withNodes(pool, nodes), builtAtMs }
}
