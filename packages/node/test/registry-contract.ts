/** What every registry must do (NODE-120). */
import type { ServiceNode } from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import type { Registry } from '../src/registry/registry.ts'
import { type KeptLog, keysOf, node, nodes } from './registry-nodes.ts'

export interface OpenedRegistry {
  readonly registry: Registry
  readonly log: KeptLog
  /** Puts another list where the registry has its own from, and resolves when it has looked. */
  change(list: readonly ServiceNode[]): Promise<void>
  /** Makes what it has its list from unreadable, and resolves when it has looked; undefined where that cannot be. */
  readonly breakIt?: () => Promise<void>
  /** Timers that are pending. */
  pending(): readonly number[]
  clean(): Promise<void>
}

export function registryContract(name: string, open: (first: readonly ServiceNode[]) => Promise<OpenedRegistry>): void {
  const withRegistry = async (run: (opened: OpenedRegistry) => Promise<void>): Promise<void> => {
    const opened = await open([...nodes(4), node(5, 0xffff_ffff_ffff_fffen)])
    try {
      await run(opened)
    } finally {
      await opened.registry.close()
      await opened.clean()
    }
  }
  describe(`${name} as a registry (NODE-120)`, () => {
    it('has the list from the start, with a hash', () =>
      withRegistry(async ({ registry }) => {
        const list = registry.nodes()
        expect(keysOf(list.nodes)).toEqual(keysOf(nodes(5)))
        expect(list.nodes.find(({ port }) => port === 20_005)?.swarmId).toBe(0xffff_ffff_ffff_fffen)
        expect(list.blockHash).toMatch(/^[0-9a-f]{64}$/)
      }))
    it('tells every listener of another list, and nobody who has left or of the same again', () =>
      withRegistry(async ({ registry, change }) => {
        const heard: string[] = []
        const leave = registry.changes(list => heard.push(`left ${list.nodes.length}`))
        const stay = (list: { nodes: readonly unknown[] }): void => void heard.push(`stays ${list.nodes.length}`)
        registry.changes(stay)
        registry.changes(stay)
        const before = registry.nodes()
        leave()
        await change(nodes(6))
        expect(heard).toEqual(['stays 6', 'stays 6'])
        expect(registry.nodes().nodes).toHaveLength(6)
        expect(registry.nodes().blockHash).not.toBe(before.blockHash)
        await change(nodes(6).reverse())
        expect(heard).toHaveLength(2)
        await change([...nodes(5), { ...node(6), port: 9 }])
        expect(heard).toHaveLength(4)
      }))
    it('tells the others when one listener throws', () =>
      withRegistry(async ({ registry, change, log }) => {
        let heard = 0
        registry.changes(() => {
          throw new Error('cannot follow')
        })
        registry.changes(() => heard++)
        await change(nodes(6))
        await change(nodes(7))
        expect(heard).toBe(2)
        expect(log.complaints).toEqual(Array(2).fill('a change of the node list could not be followed'))
      }))
    it('keeps the last list while there is none to be had, complains once, and recovers', () =>
      withRegistry(async ({ registry, change, breakIt, log }) => {
        if (breakIt !== undefined) {
          await breakIt()
          await breakIt()
          expect(log.complaints).toEqual(['the node list cannot be read; the last one stays in force'])
        }
        expect(registry.nodes().nodes).toHaveLength(5)
        await change(nodes(7))
        expect(registry.nodes().nodes).toHaveLength(7)
      }))
    it('is silent once closed, also the second time, and can still be read', () =>
      withRegistry(async ({ registry, pending }) => {
        await registry.close()
        await registry.close()
        expect(pending()).toEqual([])
        expect(registry.nodes().nodes).toHaveLength(5)
      }))
  })
}
